"""GET /api/orders."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from orders.models import ApiKey, Order
from tests.api.calls import ORDERS, customer, faults, guest, refusal, service
from tests.factories import order, order_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer() -> APIClient:
    return service("viewer")


def numbers(client: APIClient, query: str = "") -> list[int]:
    answer = client.get(f"{ORDERS}?{query}")
    assert answer.status_code == 200, answer.json()
    return [int(each["number"]) for each in answer.json()["data"]]


def test_list_is_paged_newest_first(viewer: APIClient) -> None:
    made = [order_of(p10=1).number for _ in range(12)]
    first = viewer.get(ORDERS).json()
    assert {name: first[name] for name in first if name != "data"} == {
        "total": 12,
        "page": 1,
        "limit": 10,
        "totalPages": 2,
    }
    assert numbers(viewer) == made[:1:-1]
    assert numbers(viewer, "page=2") == [made[1], made[0]]
    assert numbers(viewer, "page=3") == []
    assert numbers(viewer, "page=2&limit=5") == made[6:1:-1]
    assert numbers(viewer, "page=1000000000&limit=100") == []


@pytest.mark.parametrize("sort", ["number", "-createdAt", "updatedAt", "-total"])
def test_list_by_link_shows_each_order_once_on_numbered_pages(viewer: APIClient, sort: str) -> None:
    for total in (30, 10, 20, 10, 40):
        order(total=Decimal(total))
    whole = numbers(viewer, f"sort={sort}")
    path, shown, pages = f"{ORDERS}?limit=2&sort={sort}", [], []
    while path:
        answer = viewer.get(path)
        shown += [int(each["number"]) for each in answer.json()["data"]]
        pages.append(answer.json()["page"])
        path = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")
    assert shown == whole
    assert pages == [1, 2, 3]


def test_list_behind_a_cursor_keeps_the_sort_of_its_list(viewer: APIClient) -> None:
    made = [order().number for _ in range(3)]
    assert numbers(viewer, f"cursor=-number.{made[1]}") == [made[0]]
    assert numbers(viewer, f"cursor=number.{made[1]}&sort=-total") == [made[2]]
    assert viewer.get(f"{ORDERS}?cursor=-number.{made[1]}").json()["page"] is None
    assert viewer.get(f"{ORDERS}?cursor=-number.{made[1]}&page=7").json()["page"] == 7


def test_list_of_nothing_has_no_pages(viewer: APIClient) -> None:
    empty = {"data": [], "total": 0, "page": 1, "limit": 10, "totalPages": 0}
    assert viewer.get(ORDERS).json() == empty


def test_list_by_a_customer_is_of_their_own() -> None:
    owner, client = customer()
    mine = order(owner=owner)
    order(customer_reference=str(owner.public_id))
    order(owner=customer()[0])
    assert numbers(client) == [mine.number]


def test_list_without_a_credential_is_refused() -> None:
    answer = guest().get(ORDERS)
    assert refusal(answer) == (401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == "Api-Key, Bearer"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=CONFIRMED", "b"),
        ("status=CANCELLED", ""),
        ("stock=review", "c"),
        ("email=ANN@example.com", "a"),
        ("email=ann", ""),
        ("productId=10", "ca"),
        ("productId=1", ""),
        ("userId=ann-1", "a"),
        ("q=ann", "a"),
        ("q=Jones", "b"),
        ("q=100%25", "c"),
        ("q=_", ""),
        ("q=20", "b"),
        ("createdFrom=2026-02-01", "cb"),
        ("createdTo=2026-02-01", "ba"),
        ("createdFrom=2026-02-01&createdTo=2026-02-01", "b"),
        ("createdTo=2026-02-01T11:59:59Z", "a"),
        ("createdTo=2026-02-01T14:00:00%2B02:00", "ba"),
        ("createdFrom=2026-02-01T12:00:00", "cb"),
        ("minTotal=20", "cb"),
        ("maxTotal=20.00", "ba"),
        ("minTotal=20&maxTotal=20", "b"),
        ("sort=total", "abc"),
        ("sort=-total", "cba"),
        ("sort=createdAt", "abc"),
        ("sort=-createdAt", "cba"),
        ("sort=number", "abc"),
        ("sort=-updatedAt", "cba"),
        ("status=PENDING&q=ann&sort=total", "a"),
        ("q=%23999999", ""),
        ("q=99999999999999999999", ""),
    ],
)
def test_list_with_a_filter_finds(viewer: APIClient, query: str, found: str) -> None:
    a = order(full_name="Ann Lee", email="Ann@example.com", customer_reference="ann-1")
    b = order(full_name="Bob Jones", email="bob@example.com", status="CONFIRMED")
    c = order(full_name="Cy 100%", email="cy@example.com", stock_state="review")
    for month, (each, product_id) in enumerate([(a, "10"), (b, "20"), (c, "10")], start=1):
        each.items.create(product_id=product_id, quantity=1, unit_price=10 * month)
        at = datetime(2026, month, 1, 12, tzinfo=UTC)
        Order.objects.filter(pk=each.pk).update(
            total=Decimal(10 * month), created_at=at, updated_at=at
        )
    names = {a.number: "a", b.number: "b", c.number: "c"}
    assert "".join(names[number] for number in numbers(viewer, query)) == found


def test_list_by_number_finds_it_with_and_without_the_sign(viewer: APIClient) -> None:
    wanted = order()
    order()
    assert numbers(viewer, f"q={wanted.number}") == [wanted.number]
    assert numbers(viewer, f"q=%23{wanted.number}") == [wanted.number]


def test_list_by_user_id_finds_the_owners_orders(viewer: APIClient) -> None:
    owner, _ = customer()
    wanted = order(owner=owner)
    order()
    assert numbers(viewer, f"userId={owner.public_id}") == [wanted.number]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("page=0", [("page", "min_value")]),
        ("page=-1", [("page", "invalid")]),
        ("page=abc", [("page", "invalid")]),
        ("page=1.0", [("page", "invalid")]),
        ("page=", [("page", "invalid")]),
        ("page=9223372036854775808", [("page", "invalid")]),
        ("page=1000000001", [("page", "max_value")]),
        ("limit=0", [("limit", "min_value")]),
        ("limit=-1", [("limit", "invalid")]),
        ("limit=101", [("limit", "max_value")]),
        ("limit=abc", [("limit", "invalid")]),
        ("limit=1_0", [("limit", "invalid")]),
        ("limit=%D9%A3", [("limit", "invalid")]),
        ("status=pending", [("status", "invalid_choice")]),
        ("status=", [("status", "invalid_choice")]),
        ("stock=x", [("stock", "invalid_choice")]),
        ("cursor=", [("cursor", "invalid")]),
        ("cursor=100042", [("cursor", "invalid")]),
        ("cursor=number.1.2", [("cursor", "invalid")]),
        ("cursor=total.1", [("cursor", "invalid")]),
        ("cursor=createdAt.253402300800000000.1", [("cursor", "invalid")]),
        ("sort=email", [("sort", "invalid_choice")]),
        ("q=", [("q", "blank")]),
        ("q=%00", [("q", "control_character")]),
        ("q=" + "x" * 201, [("q", "max_length")]),
        ("createdFrom=yesterday", [("createdFrom", "invalid")]),
        ("createdTo=2026-02-30", [("createdTo", "invalid")]),
        ("createdTo=20260201", [("createdTo", "invalid")]),
        ("createdFrom=2026-W48", [("createdFrom", "invalid")]),
        ("createdTo=99999-01-01", [("createdTo", "invalid")]),
        ("minTotal=-1", [("minTotal", "invalid")]),
        ("minTotal=NaN", [("minTotal", "invalid")]),
        ("maxTotal=1e400", [("maxTotal", "invalid")]),
        ("maxTotal=0.001", [("maxTotal", "invalid")]),
        ("colour=red", [("colour", "unknown_field")]),
        ("format=json", [("format", "unknown_field")]),
        ("page=1&page=2", [("page", "repeated")]),
        (
            "page=0&limit=0&x=1",
            [("limit", "min_value"), ("page", "min_value"), ("x", "unknown_field")],
        ),
    ],
)
def test_list_with_a_bad_parameter_is_refused_by_name(
    viewer: APIClient, query: str, expected: list[tuple[str, str]]
) -> None:
    assert faults(viewer.get(f"{ORDERS}?{query}")) == expected


@pytest.mark.parametrize(
    "query",
    [
        "createdFrom=0001-01-01T00:00:00%2B14:00",
        "createdTo=9999-12-31T23:59:59-14:00",
        "createdTo=9999-12-31",
        "createdFrom=2026-02-01T00:00:00%2B23:59",
        "createdFrom=2026-02-01T00:00:00%2B01:00:00.5",
        "maxTotal=99999999999999999",
        "cursor=createdAt.99999999999999999.999999999999999999",
        "cursor=-total.999999999999999999.0",
        "q=%F0%9F%98%80",
        "q=%25%5C",
        "q=%ff",
    ],
)
def test_list_with_an_extreme_parameter_is_answered(viewer: APIClient, query: str) -> None:
    assert viewer.get(f"{ORDERS}?{query}").status_code == 200


def test_list_with_thousands_of_parameters_is_refused(viewer: APIClient) -> None:
    query = "&".join(f"x{n}=1" for n in range(2000))
    assert refusal(viewer.get(f"{ORDERS}?{query}")) == (400, "malformed_request")


@pytest.mark.parametrize("count", [1, 30])
def test_list_takes_as_many_statements_for_many_orders_as_for_one(
    viewer: APIClient, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    owner, _ = customer()
    for _ in range(count):
        made = order_of(p1=1, p2=1)
        made.owner = owner
        made.save()
    viewer.get(ORDERS)
    assert ApiKey.objects.get().last_used_at is not None
    # The key with its user and their permissions, the rate; and the page with its count.
    with django_assert_num_queries(3):
        answer = viewer.get(f"{ORDERS}?limit=100")
    assert len(answer.json()["data"]) == count
