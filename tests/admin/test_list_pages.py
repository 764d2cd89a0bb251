"""The order list's pages: by key, so that no depth costs more and no order is skipped."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.admin.listing import OrderListAdmin
from orders.models import Order
from orders.queries import Found, paging
from orders.queries.filtering import Plan
from tests.admin.conftest import SignIn
from tests.admin.pages import LIST
from tests.factories import order

pytestmark = pytest.mark.django_db

NEWEST = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def pages_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OrderListAdmin, "list_per_page", 3)


@pytest.fixture(params=["few", "many"])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the list be collected and sorted at once, or read page by page from an index."""
    if request.param == "many":
        monkeypatch.setattr(paging, "EXACT", 0)
    return str(request.param)


def orders(count: int, **fields: Any) -> list[int]:
    """Make orders, a day apart and the last one at NEWEST; return their numbers, newest first."""
    made = [order(**fields).pk for _ in range(count)]
    for age, number in enumerate(reversed(made)):
        Order.objects.filter(pk=number).update(created_at=NEWEST - timedelta(days=age))
    return made[::-1]


def shown(client: Client, **query: str | int) -> list[int]:
    changelist = client.get(LIST, query).context["cl"]
    return [each.pk for each in changelist.result_list]


def walk(client: Client, way: str, address: str) -> list[list[int]]:
    """Follow a link from page to page until there is none; return the numbers of each page."""
    pages = []
    while address:
        changelist = client.get(LIST + address).context["cl"]
        pages.append([each.pk for each in changelist.result_list])
        address = {each["name"]: each["link"] for each in changelist.ways}[way]
        assert len(pages) < 20, "goes round in circles"
    return pages


@pytest.mark.parametrize("filters", ["?", "?q=doe", "?created_at__gte=2026-01-01", "?o=7"])
@pytest.mark.usefixtures("size")
def test_walk_to_older_pages_and_back_shows_each_order_once(sign_in: SignIn, filters: str) -> None:
    every = orders(8)
    client = sign_in("viewer")
    assert walk(client, "Older", filters) == [every[:3], every[3:6], every[6:]]
    assert walk(client, "Newer", f"{filters}&at=oldest") == [every[5:], every[2:5], every[:2]]


# For a viewer, whose rows have no boxes to tick, column 0 is the number, and column 7 the age.
@pytest.mark.parametrize("filters", ["?o=0", "?o=-7", "?o=0&q=doe"])
@pytest.mark.usefixtures("size")
def test_walk_with_the_oldest_first_shows_each_order_once(sign_in: SignIn, filters: str) -> None:
    oldest = orders(7)[::-1]
    assert walk(sign_in("viewer"), "Newer", filters) == [oldest[:3], oldest[3:6], oldest[6:]]


@pytest.mark.usefixtures("size")
def test_exactly_one_page_leads_nowhere(sign_in: SignIn) -> None:
    every = orders(3)
    changelist = sign_in("viewer").get(LIST).context["cl"]
    assert [each.pk for each in changelist.result_list] == every
    assert {each["name"]: each["link"] for each in changelist.ways} == {
        "Newest": "",
        "Newer": "",
        "Older": "",
        "Oldest": "",
    }


@pytest.mark.usefixtures("size")
def test_list_without_orders_says_so(sign_in: SignIn) -> None:
    body = sign_in("viewer").get(LIST).content.decode()
    assert "No order matches" in body
    assert "0 orders" in body


@pytest.mark.usefixtures("size")
def test_orders_that_come_between_two_pages_shift_nothing(sign_in: SignIn) -> None:
    every = orders(6)
    orders(2)
    assert shown(sign_in("viewer"), below=every[2]) == every[3:]


@pytest.mark.usefixtures("size")
def test_page_below_an_order_that_is_gone_goes_on_from_its_place(sign_in: SignIn) -> None:
    every = orders(6)
    Order.objects.get(pk=every[2]).delete()
    assert shown(sign_in("viewer"), below=every[2]) == every[3:]


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("filters", [{}, {"q": "doe"}, {"created_at__gte": "2026-01-01"}])
def test_jump_to_a_day_begins_with_its_newest_order(
    sign_in: SignIn, filters: dict[str, str]
) -> None:
    every = orders(8)  # the newest on March 31, the oldest on March 24
    client = sign_in("viewer")
    assert shown(client, day="2026-03-29", **filters) == every[2:5]
    assert shown(client, day="2026-03-31", **filters) == every[:3]
    assert shown(client, day="2030-01-01", **filters) == every[:3]
    assert shown(client, day="2026-03-29", o="0", **filters) == [every[2], every[1], every[0]]


@pytest.mark.usefixtures("size")
def test_jump_before_the_first_day_shows_the_oldest_page_and_says_so(sign_in: SignIn) -> None:
    every = orders(5)
    answer = sign_in("viewer").get(LIST, {"day": "2020-01-01"})
    assert [each.pk for each in answer.context["cl"].result_list] == every[2:]
    assert "this is where the list ends" in answer.content.decode()


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("filters", [{}, {"created_at__gte": "2026-01-01"}])
def test_jump_to_a_number_begins_with_it(sign_in: SignIn, filters: dict[str, str]) -> None:
    every = orders(6)
    client = sign_in("viewer")
    assert shown(client, number=every[2], **filters) == every[2:5]
    assert shown(client, number=f"#{every[2]}", **filters) == every[2:5]
    assert shown(client, number=10**16, **filters) == every[:3]
    assert shown(client, number=1, **filters) == every[3:]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("day=yesterday", "is no date"),
        ("day=2026-02-30", "is no date"),
        ("day=99999-01-01", "is no date"),
        ("number=x", "is no order number"),
        ("number=1e9", "is no order number"),
        ("number=99999999999999999999", "is no order number"),
        ("below=x", "names no page"),
        ("below=9999999999999999999", "names no page"),
        ("below=1.2", "names no page"),
        ("above=-1", "names no page"),
        ("created_at__gte=2026-01-01&below=999999999999999999.1", "names no page"),
        ("created_at__gte=2026-01-01&below=5", "names no page"),
    ],
)
def test_place_that_is_none_shows_the_first_page_and_says_so(
    sign_in: SignIn, query: str, said: str
) -> None:
    every = orders(4)
    answer = sign_in("viewer").get(f"{LIST}?{query}")
    assert answer.status_code == 200
    assert [each.pk for each in answer.context["cl"].result_list] == every[:3]
    assert said in answer.content.decode()


def test_orders_of_the_same_moment_keep_their_order_over_pages(sign_in: SignIn) -> None:
    every = orders(7)
    Order.objects.update(created_at=NEWEST)
    pages = walk(sign_in("viewer"), "Older", "?created_at__gte=2026-01-01")
    assert [number for each in pages for number in each] == every


@pytest.mark.parametrize("size", ["few"], indirect=True)
def test_list_says_how_many_match_and_what_all_means(sign_in: SignIn, size: str) -> None:
    orders(4)
    order(status="CANCELLED")
    client = sign_in("manager")
    assert "5 orders</p>" in client.get(LIST).content.decode()
    body = client.get(LIST, {"status__exact": "PENDING"}).content.decode()
    assert "4 orders match</p>" in body
    assert "Select all 4 orders" in body
    assert (
        "1 order matches</p>" in client.get(LIST, {"status__exact": "CANCELLED"}).content.decode()
    )


def test_list_of_more_than_can_be_counted_says_so(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "EXACT", 2)
    monkeypatch.setattr(Found, "plan", Plan(rows=1, cost=1))
    orders(4)
    body = sign_in("manager").get(LIST).content.decode()
    assert "more than 2 orders</p>" in body
    assert "Select all more than 2 orders" in body


def test_deep_page_costs_as_many_statements_as_the_first(sign_in: SignIn) -> None:
    every = orders(9)
    client = sign_in("viewer")
    costs = []
    for query in ("", f"?below={every[5]}", "?at=oldest"):
        with CaptureQueriesContext(connection) as queries:
            client.get(LIST + query)
        costs.append(len(queries))
    assert costs[0] == costs[1] == costs[2]
