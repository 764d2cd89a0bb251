"""What the review desk's tests start from: a movement of which nobody can say what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import F
from django.test import Client
from django.urls import reverse

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Batch, Order, StockMovement
from tests.factories import confirm_once, order_of

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

DESK = "/admin/orders/stockmovement/"


def in_review(sandbox: Sandbox, fault: str = "500_after") -> tuple[Order, StockMovement]:
    """Confirm 2 × 10 of 45 with a fault, and have somebody outside make the stock 50."""
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    sandbox.faults.script(fault=fault)
    confirm_once(order)
    sandbox.store.set_stock({"10": 50})
    movement = StockMovement.objects.get(confirmation__order=order)
    StockMovement.objects.filter(pk=movement.pk).update(
        settles_at=F("settles_at") - timedelta(seconds=300)
    )
    lifecycle.advance(movement.confirmation_id, hold=2)
    order.refresh_from_db()
    movement.refresh_from_db()
    assert order.stock_state == movement.state == "review"
    return order, movement


def work() -> None:
    """Do what a worker would, until nothing is due."""
    while lifecycle.advance_due():
        pass


def carry_out(batch: Batch) -> None:
    """Do what a worker would with a batch that does not confirm."""
    entry: int | None = 0
    while entry is not None:
        entry = lifecycle.carry_out_next(batch.pk, after=entry)


def shown(movement: StockMovement) -> str:
    """Return the address of a movement's page."""
    return reverse("admin:orders_stockmovement_change", args=[movement.pk])


def decided_at(movement: StockMovement) -> str:
    """Return where a decision is sent to."""
    return reverse("admin:orders_stockmovement_decide", args=[movement.pk])


def decide(client: Client, movement: StockMovement, **fields: object) -> Response:
    """Send the form as the page would that shows the movement as it was."""
    sent = {"applied": "yes", "note": "found in its log", "fence": movement.fence} | fields
    return client.post(decided_at(movement), sent)
