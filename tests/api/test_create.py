"""POST /api/orders: what is written, whose it is, and when nothing is."""

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from inventory_client.sandbox.server import Sandbox
from orders.models import Order, OrderEvent
from tests.api.calls import (
    ORDERS,
    body,
    create,
    customer,
    faults,
    guest,
    item,
    refusal,
    service,
    signed_in,
)
from tests.factories import staff

pytestmark = pytest.mark.usefixtures("db", "stocked")


@pytest.fixture
def stocked(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45, "9": 5})


def test_create_with_lines_of_one_product_and_price_merges_them() -> None:
    answer = create(guest(), items=[item(price=50), item(price="50.00"), item(price=40)])

    items = [(each["quantity"], each["price"]) for each in answer.json()["items"]]
    assert items == [(4, "50.00"), (2, "40.00")]
    assert answer.json()["total"] == "280.00"


def test_create_trims_strings() -> None:
    answer = create(guest(), fullName="  John Doe ", items=[item(" 10 ")])
    assert answer.json()["fullName"] == "John Doe"
    assert answer.json()["items"][0]["productId"] == "10"


def test_create_by_a_customer_is_theirs() -> None:
    owner, client = customer()

    answer = create(client)

    assert answer.json()["userId"] == str(owner.public_id)
    assert Order.objects.get().owner == owner
    assert OrderEvent.objects.get().actor == f"user:{owner.pk}"


def test_create_by_a_customer_in_their_own_name_is_theirs() -> None:
    owner, client = customer()
    assert create(client, userId=str(owner.public_id)).status_code == 201
    assert Order.objects.get().owner == owner


def test_create_by_a_customer_in_the_name_of_another_is_refused() -> None:
    other, _ = customer()
    _, client = customer()
    answer = create(client, userId=str(other.public_id))
    assert faults(answer) == [("userId", "not_yours")]


def test_create_by_a_guest_in_the_name_of_a_customer_grants_nothing() -> None:
    owner, client = customer()

    answer = create(guest(), userId=str(owner.public_id))

    assert answer.json()["userId"] == str(owner.public_id)
    assert Order.objects.get().owner is None
    assert client.get(ORDERS).json()["total"] == 0


@pytest.mark.parametrize("by", ["service", "member of staff"])
def test_create_for_somebody_else_belongs_to_nobody(by: str) -> None:
    client: APIClient = service() if by == "service" else signed_in(staff("manager"))
    assert create(client, userId="user123").json()["userId"] == "user123"
    assert Order.objects.get().owner is None


def test_create_with_products_short_names_each_and_writes_nothing() -> None:
    answer = create(guest(), items=[item("10", 46), item("9", 1), item("404", 3)])

    assert refusal(answer) == (409, "insufficient_stock")
    assert answer.json()["items"] == [
        {"productId": "10", "requested": 46, "available": 45},
        {"productId": "404", "requested": 3, "available": 0},
    ]
    assert Order.objects.count() == 0


@pytest.mark.parametrize("down", ["503", "reset"])
def test_create_with_inventory_down_writes_nothing(sandbox: Sandbox, down: str) -> None:
    sandbox.switches.update({"down": down})

    answer = create(guest())

    assert refusal(answer) == (503, "inventory_unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert Order.objects.count() == 0


def test_create_with_the_largest_order_is_exact(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 100_000_000})

    answer = create(guest(), items=[item("10", 1_000_000, 9999999.99)] * 100)

    assert answer.status_code == 201
    assert answer.json()["total"] == "999999999000000.00"
    assert answer.json()["items"][0]["quantity"] == 100_000_000


def test_create_in_a_session_without_csrf_token_is_refused() -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(customer()[0])
    answer = client.post(ORDERS, body(), format="json")
    assert refusal(answer) == (403, "csrf_failed")
    assert Order.objects.count() == 0


def test_create_takes_three_statements(
    plenty: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    create(guest())
    items = [item(price=5), item(price=6), item(price=7)]
    # The rate, the open orders of the address, and the order with its items and its event.
    with django_assert_num_queries(3):
        assert create(guest(), items=items).status_code == 201
