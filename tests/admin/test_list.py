"""The order list: what it shows, finds, and costs."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from unfold.templatetags.unfold_list import items_for_result

from orders.models import Order
from tests.admin.conftest import SignIn
from tests.admin.pages import LIST, page
from tests.factories import order, order_of

pytestmark = pytest.mark.django_db


def found(sign_in: SignIn, **query: str) -> set[int]:
    response = sign_in("viewer").get(LIST, query)
    assert response.status_code == 200
    return {each.pk for each in response.context["cl"].result_list}


def test_list_shows_number_customer_items_total_status_and_age(sign_in: SignIn) -> None:
    placed = order_of("50.00", p10=2, p9=1)
    Order.objects.filter(pk=placed.pk).update(created_at=timezone.now() - timedelta(hours=3))

    body = sign_in("viewer").get(LIST).content.decode()

    for shown in (f"#{placed.pk}", "John Doe", "john@example.com", "2 × 10, 1 × 9", "150.00 USD"):
        assert shown in body
    assert ">3 h</time>" in body
    assert "bg-orange-100" in body
    assert "pending" in body


def test_list_of_an_order_with_many_items_shows_three(sign_in: SignIn) -> None:
    order_of(p1=1, p2=2, p3=3, p4=4, p5=5)
    body = sign_in("viewer").get(LIST).content.decode()
    assert "1 × 1, 2 × 2, 3 × 3, +2 more" in body


@pytest.mark.parametrize("state", ["settling", "review", "short"])
def test_list_shows_an_unclear_stock_state(sign_in: SignIn, state: str) -> None:
    order(stock_state=state)
    cell = sign_in("viewer").get(LIST).content.decode().split('data-label="Stock"')[1]
    assert state in cell.split("</td>")[0]


def test_list_shows_nothing_of_a_clear_stock_state(sign_in: SignIn) -> None:
    order()
    cell = sign_in("viewer").get(LIST).content.decode().split('data-label="Stock"')[1]
    assert cell.split("</td>")[0] == ">"


@pytest.mark.parametrize("term", ["{n}", "#{n}", " {n} ", "doe", "JOHN@EXAMPLE", "X7"])
def test_search_finds_number_name_email_and_product(sign_in: SignIn, term: str) -> None:
    wanted = order_of(pX7=1)
    order(full_name="Ann", email="ann@example.org")
    assert found(sign_in, q=term.format(n=wanted.pk)) == {wanted.pk}


@pytest.mark.parametrize("term", ["9" * 40, "²", "%", "7X", "' OR 1=1 --", "nobody"])
def test_search_for_what_is_not_there_finds_nothing(sign_in: SignIn, term: str) -> None:
    order_of(pX7=1)
    assert found(sign_in, q=term) == set()


def test_filters_narrow_by_status_stock_state_and_date(sign_in: SignIn) -> None:
    confirmed = order(status="CONFIRMED")
    short = order(stock_state="short")
    old = order()
    Order.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=30))

    client = sign_in("viewer")
    for query, wanted in (
        ({"status__exact": "CONFIRMED"}, {confirmed.pk}),
        ({"stock_state__exact": "short"}, {short.pk}),
        (
            {"created_at__gte": f"{timezone.now():%Y-%m-%d 00:00:00+00:00}"},
            {confirmed.pk, short.pk},
        ),
    ):
        results = client.get(LIST, query).context["cl"].result_list
        assert {each.pk for each in results} == wanted


def test_list_costs_as_many_queries_for_20_orders_as_for_one(sign_in: SignIn) -> None:
    client = sign_in("viewer")
    counts = []
    for more in (1, 19):
        for _ in range(more):
            order_of(p10=2, p9=1)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(LIST)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    # Session, user and their permissions; then the plan, the keys, the orders, their items, the
    # tabs and the saved filters.
    assert counts[0] <= 11


def test_pages_escape_what_customers_write(sign_in: SignIn) -> None:
    attack = "<script>alert(1)</script>"
    placed = order(
        full_name=attack,
        address=attack,
        city=attack,
        customer_reference=attack,
        email="a<script>@x.example",
    )
    placed.items.create(product_id=attack, quantity=1, unit_price=1)
    placed.notes.create(text=attack)
    placed.events.create(kind="cancelled", actor=attack, via="api", data={"reason": attack})
    client = sign_in("manager")
    for body in (client.get(LIST).content, client.get(page(placed)).content):
        assert b"<script>alert" not in body
        assert b"a<script>" not in body
        assert b"&lt;script&gt;alert(1)&lt;/script&gt;" in body


@pytest.mark.parametrize("path", ["add/", "1/delete/"])
def test_orders_are_neither_added_nor_deleted(sign_in: SignIn, path: str) -> None:
    order(number=1)
    client = sign_in("manager")
    assert client.get(LIST + path).status_code == 403
    assert client.post(LIST + path, {"post": "yes"}).status_code == 403
    assert Order.objects.filter(pk=1).exists()


def test_rows_are_the_themes_own(sign_in: SignIn) -> None:
    order_of("24.50", p10=2, p9=1)
    order(
        stock_state="short", hold_reason="fraud", held_since=timezone.now(), full_name="<b>& Söhne"
    )
    order(status="CONFIRMED", stock_state="review")
    changes = sign_in("manager").get(LIST, {"q": "example", "status__exact": ""}).context["cl"]
    written = ["".join(items_for_result(changes, each, None)) for each in changes.result_list]
    assert len(changes.rows) == 3
    assert changes.rows == written
