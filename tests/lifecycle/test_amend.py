"""Amending: lines and address of what nobody has begun to confirm."""

from decimal import Decimal

import pytest

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.errors import (
    BeingConfirmed,
    Forbidden,
    InsufficientStock,
    NotPending,
    StaleVersion,
)
from orders.lifecycle import Amendment, Item
from orders.models import Order, OrderEvent
from tests.factories import OPERATOR, actor, order_of, stock

pytestmark = pytest.mark.usefixtures("committed_db")


def amendment(order: Order, *items: Item, **fields: str) -> Amendment:
    """Return what the order says now, but for what is given."""
    said = {
        name: getattr(order, name) for name in ("full_name", "email", "address", "city", "zip_code")
    }
    now = [Item(row.product_id, row.quantity, row.unit_price) for row in order.items.order_by("pk")]
    return Amendment(**{**said, **fields}, items=items or now)


def test_amend_the_lines_makes_a_new_total_and_is_what_a_confirmation_takes(
    sandbox: Sandbox,
) -> None:
    sandbox.store.set_stock({"10": 45, "9": 5})
    placed = order_of(p10=2, p9=1)
    wanted = [Item("10", 3, Decimal("50.00")), Item("9", 1, Decimal("50.00"))]

    amended = lifecycle.amend(
        placed.pk, amendment(placed, *wanted), actor=actor("manager"), expected_version=1
    )

    assert (amended.total, amended.version) == (Decimal("200.00"), 2)
    event = OrderEvent.objects.get(order=placed)
    assert (event.kind, event.data) == (
        "amended",
        {"fields": [], "went": ["2 × 10 at 50.00"], "came": ["3 × 10 at 50.00"]},
    )
    lifecycle.confirm(placed.pk, actor=OPERATOR)
    assert stock(sandbox) == {"10": 42, "9": 4}


def test_amend_the_address_tells_which_field_and_not_what_it_said() -> None:
    placed = order_of(p10=2)

    amended = lifecycle.amend(
        placed.pk,
        amendment(placed, city="Shelbyville", zip_code="54321"),
        actor=OPERATOR,
        expected_version=1,
    )

    amended.refresh_from_db()
    assert (amended.city, amended.zip_code, amended.total) == ("Shelbyville", "54321", Decimal(100))
    assert OrderEvent.objects.get().data == {
        "fields": ["city", "zip_code"],
        "went": [],
        "came": [],
    }


def test_amend_merges_equal_lines_and_ends_a_shortage(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 1})
    placed = order_of(p10=2)
    with pytest.raises(InsufficientStock):
        lifecycle.confirm(placed.pk, actor=OPERATOR)
    placed.refresh_from_db()
    assert placed.stock_state == "short"
    price = Decimal("1.00")

    amended = lifecycle.amend(
        placed.pk,
        amendment(placed, Item("7", 1, price), Item("7", 2, price)),
        actor=OPERATOR,
        expected_version=placed.version,
    )

    assert [(row.product_id, row.quantity) for row in amended.items.all()] == [("7", 3)]
    assert (amended.stock_state, amended.total) == ("clear", Decimal("3.00"))


def test_amend_that_changes_nothing_leaves_no_trace() -> None:
    placed = order_of(p10=2)

    same = lifecycle.amend(placed.pk, amendment(placed), actor=OPERATOR, expected_version=1)

    assert same.version == 1
    assert not OrderEvent.objects.exists()


def test_amend_by_the_slower_of_two_is_refused_and_overwrites_nothing() -> None:
    placed = order_of(p10=2)
    lifecycle.amend(placed.pk, amendment(placed, city="Faster"), actor=OPERATOR, expected_version=1)

    with pytest.raises(StaleVersion):
        lifecycle.amend(
            placed.pk, amendment(placed, city="Slower"), actor=OPERATOR, expected_version=1
        )

    placed.refresh_from_db()
    assert placed.city == "Faster"


def test_amend_while_or_after_the_stock_is_taken_is_refused(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    placed = order_of(p10=2)
    lifecycle.confirm_many([placed.pk], actor=OPERATOR)
    placed.refresh_from_db()

    with pytest.raises(BeingConfirmed):
        lifecycle.amend(
            placed.pk, amendment(placed), actor=OPERATOR, expected_version=placed.version
        )
    while lifecycle.advance_due():
        pass
    placed.refresh_from_db()
    with pytest.raises(NotPending):
        lifecycle.amend(
            placed.pk, amendment(placed), actor=OPERATOR, expected_version=placed.version
        )


def test_amend_without_the_permission_is_forbidden() -> None:
    placed = order_of(p10=2)

    for role in ("viewer", "auditor", "fulfilment"):
        with pytest.raises(Forbidden):
            lifecycle.amend(placed.pk, amendment(placed), actor=actor(role), expected_version=1)
