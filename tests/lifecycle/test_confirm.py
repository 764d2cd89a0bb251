"""Confirming an order against an inventory service on a socket."""

import pytest

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.errors import (
    Forbidden,
    IllegalTransition,
    InsufficientStock,
    InventoryRefused,
    InventoryUnavailable,
    Shortage,
    StaleVersion,
)
from orders.models import Confirmation, Order, OrderEvent, StockAttempt, StockMovement
from tests.factories import OPERATOR, actor, order, order_of, stock

pytestmark = pytest.mark.usefixtures("committed_db")


def kinds(order: Order) -> list[str]:
    return list(OrderEvent.objects.filter(order=order).values_list("kind", flat=True))


def test_confirm_with_enough_stock_deducts_each_product_once(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45, "9": 5})
    order = order_of(p10=2, p9=1)

    confirmed = lifecycle.confirm(order.pk, actor=OPERATOR)

    assert (confirmed.status, confirmed.stock_state) == ("CONFIRMED", "clear")
    assert stock(sandbox) == {"10": 43, "9": 4}
    assert kinds(order) == ["confirmation_requested", "confirmed"]
    assert list(
        StockMovement.objects.order_by("product_id").values_list(
            "product_id", "delta", "state", "before_quantity", "after_quantity", "resolved_by"
        )
    ) == [("10", -2, "applied", 45, 43, "response"), ("9", -1, "applied", 5, 4, "response")]
    assert list(StockAttempt.objects.values_list("outcome", "http_status")) == [
        ("applied", 200),
        ("applied", 200),
    ]


def test_confirm_twice_deducts_once(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)

    first = lifecycle.confirm(order.pk, actor=OPERATOR)
    second = lifecycle.confirm(order.pk, actor=OPERATOR)

    assert (first.status, second.status) == ("CONFIRMED", "CONFIRMED")
    assert stock(sandbox)["10"] == 43
    assert Confirmation.objects.count() == 1


def test_confirm_with_products_short_names_each_and_moves_nothing(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 1, "9": 45})
    order = order_of(p10=2, p9=1, p404=3)

    with pytest.raises(InsufficientStock) as caught:
        lifecycle.confirm(order.pk, actor=OPERATOR)

    assert caught.value.shortages == (Shortage("10", 2, 1), Shortage("404", 3, 0))
    order.refresh_from_db()
    assert (order.status, order.stock_state) == ("PENDING", "short")
    assert StockAttempt.objects.count() == 0
    assert kinds(order) == ["confirmation_requested", "confirmation_failed"]


def test_confirm_after_a_shortage_can_be_repeated(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 1})
    order = order_of(p10=2)
    with pytest.raises(InsufficientStock):
        lifecycle.confirm(order.pk, actor=OPERATOR)
    sandbox.store.set_stock({"10": 2})

    assert lifecycle.confirm(order.pk, actor=OPERATOR).status == "CONFIRMED"
    assert stock(sandbox)["10"] == 0


def test_confirm_with_inventory_down_changes_nothing(sandbox: Sandbox) -> None:
    sandbox.switches.update({"down": "503"})
    order = order_of(p10=2)

    with pytest.raises(InventoryUnavailable):
        lifecycle.confirm(order.pk, actor=OPERATOR)

    order.refresh_from_db()
    assert (order.status, order.stock_state) == ("PENDING", "clear")
    assert Confirmation.objects.get().state == "rejected"


def test_confirm_with_a_stale_version_is_refused(sandbox: Sandbox) -> None:
    order = order_of(p10=2)
    with pytest.raises(StaleVersion):
        lifecycle.confirm(order.pk, actor=OPERATOR, expected_version=7)


def test_confirm_of_a_cancelled_order_is_illegal(sandbox: Sandbox) -> None:
    order = order_of(p10=2)
    lifecycle.cancel(order.pk, actor=OPERATOR)
    with pytest.raises(IllegalTransition):
        lifecycle.confirm(order.pk, actor=OPERATOR)


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_confirm_without_the_permission_is_forbidden(sandbox: Sandbox, role: str) -> None:
    order = order_of(p10=2)
    with pytest.raises(Forbidden):
        lifecycle.confirm(order.pk, actor=actor(role))


def test_confirm_of_a_product_at_two_prices_is_one_movement(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    order.items.create(product_id="10", quantity=3, unit_price=40)

    lifecycle.confirm(order.pk, actor=OPERATOR)

    assert [m.delta for m in StockMovement.objects.all()] == [-5]
    assert stock(sandbox)["10"] == 40


def test_confirm_under_the_tag_of_the_request_that_started_it_joins(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    lifecycle.confirm(order.pk, actor=OPERATOR, expected_version=1, hold=0)

    again = lifecycle.confirm(order.pk, actor=OPERATOR, expected_version=1, hold=5)

    assert again.status == "CONFIRMED"
    assert Confirmation.objects.count() == 1


def test_confirm_of_an_order_without_items_is_refused(sandbox: Sandbox) -> None:
    empty = order()
    with pytest.raises(InventoryRefused):
        lifecycle.confirm(empty.pk, actor=OPERATOR)
    assert Confirmation.objects.get().state == "rejected"
