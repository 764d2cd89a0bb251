"""Placing an order."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle, queries
from orders.actor import Actor
from orders.errors import InsufficientStock, InventoryUnavailable, Shortage
from orders.lifecycle import Item, OrderDraft
from orders.models import Order, OrderEvent
from orders.status import Door
from tests.factories import stock, user

pytestmark = pytest.mark.usefixtures("committed_db")
GUEST = Actor(via=Door.API)


def draft(*items: Item) -> OrderDraft:
    return OrderDraft(
        full_name="John Doe",
        email="john@example.com",
        address="123 Main St",
        city="Springfield",
        zip_code="12345",
        items=items,
    )


def test_place_with_enough_stock_is_pending_and_takes_none(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})

    order = Order.objects.get(
        pk=lifecycle.place(draft(Item("10", 2, Decimal("50.00"))), actor=GUEST).number
    )

    assert (order.status, order.total) == ("PENDING", Decimal("100.00"))
    assert order.number >= 100001
    assert order.customer_reference.startswith("guest-")
    assert stock(sandbox) == {"10": 45}
    assert list(OrderEvent.objects.values_list("kind", "actor", "via")) == [
        ("placed", "guest", "api")
    ]


def test_place_merges_items_of_one_product_and_price(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    dear, cheap = Decimal("50.00"), Decimal("40.00")

    order = lifecycle.place(
        draft(Item("10", 2, dear), Item("10", 1, cheap), Item("10", 3, dear)), actor=GUEST
    )

    assert [(item.quantity, item.unit_price) for item in order.items] == [(5, dear), (1, cheap)]
    assert order.total == Decimal("290.00")


@pytest.mark.parametrize("owned", [False, True])
def test_place_returns_the_order_as_it_is_read(sandbox: Sandbox, owned: bool) -> None:
    sandbox.store.set_stock({"10": 45, "11": 45})
    items = [Item("11", 3, Decimal("0.10")), Item("10", 2, Decimal(7)), Item("11", 1, Decimal(5))]
    wanted = replace(draft(*items), owner=user() if owned else None)

    placed = lifecycle.place(wanted, actor=GUEST)

    assert placed == queries.load(placed.number)
    assert [item.product_id for item in placed.items] == ["11", "10", "11"]


def test_place_checks_the_sum_of_one_product(sandbox: Sandbox) -> None:
    """The upstream compares each line with the whole stock: 4 + 4 of 5 would pass unmerged."""
    sandbox.store.set_stock({"10": 5})

    with pytest.raises(InsufficientStock) as caught:
        lifecycle.place(draft(Item("10", 4, Decimal(1)), Item("10", 4, Decimal(2))), actor=GUEST)

    assert caught.value.shortages == (Shortage("10", 8, 5),)
    assert Order.objects.count() == 0


def test_place_with_inventory_down_writes_nothing(sandbox: Sandbox) -> None:
    sandbox.switches.update({"down": "reset"})
    with pytest.raises(InventoryUnavailable):
        lifecycle.place(draft(Item("10", 1, Decimal(1))), actor=GUEST)
    assert Order.objects.count() == 0


def test_place_writes_nothing_when_what_goes_with_it_fails(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})

    def fail(order: queries.OrderDetails) -> None:
        raise IntegrityError

    with pytest.raises(IntegrityError):
        lifecycle.place(draft(Item("10", 1, Decimal(1))), actor=GUEST, in_transaction=fail)
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    "statement", ["UPDATE orders_orderevent SET actor = 'x'", "DELETE FROM orders_orderevent"]
)
def test_history_refuses_changes(sandbox: Sandbox, statement: str) -> None:
    sandbox.store.set_stock({"10": 45})
    lifecycle.place(draft(Item("10", 1, Decimal(1))), actor=GUEST)
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
