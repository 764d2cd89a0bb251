"""A shop at work before it is lost, and what an operator does after the restore."""

import json
from collections import Counter
from typing import Any

import requests
from django.utils import timezone

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Confirmation, Order, StockMovement
from orders.status import UNSETTLED_CONFIRMATIONS, MovementState
from tests.commands.running import run
from tests.factories import OPERATOR, order_of
from tests.stock.deaths import dying

STOCK = {"3": 48, "4": 50, "5": 40, "7": 30, "9": 20, "10": 45, "11": 60, "13": 50, "16": 8}


def reconciled(*options: str, severity: str = "violation") -> tuple[int, dict[str, str]]:
    """Return the exit code, and the words on each product that a violation is about, or a note."""
    outcome = run("reconcile_stock", "--json", *options)
    found: list[dict[str, Any]] = json.loads(outcome.out)["findings"]
    return outcome.code, {
        each["product_id"]: each["what"] for each in found if each["severity"] == severity
    }


def confirmed(**quantities: Any) -> Order:
    return lifecycle.confirm(order_of(**quantities).pk, actor=OPERATOR)


def under_way(state: str, **quantities: Any) -> Order:
    """Return an order whose confirmation has got no further: it has moved nothing."""
    order, died = order_of(**quantities), Counter[str]()
    if state == "planned":
        lifecycle.confirm(order.pk, actor=OPERATOR, hold=0)
    else:
        with dying("after claim", died):
            lifecycle.confirm(order.pk, actor=OPERATOR)
    (movement,) = StockMovement.objects.filter(confirmation__order=order)
    assert (movement.state, movement.sent_at) == (state, None)
    return order


def being_given_back(**quantities: Any) -> Order:
    """Return an order that was cancelled, and whose stock is still to be given back."""
    return lifecycle.cancel(confirmed(**quantities).pk, actor=OPERATOR, hold=0)


def give_back(sandbox: Sandbox, product: str, pieces: int) -> None:
    """Do by hand, in the inventory, what undoes there what the ledger does not know."""
    answer = requests.post(
        f"{sandbox.url}/inventory/items/{product}/adjust",
        json={"quantity": pieces, "reason": "the orders since the backup were lost"},
        timeout=10,
    )
    assert answer.status_code == 200


def advance_all() -> None:
    """Do a worker's work, once whoever held something is surely gone, and who waits has waited."""
    unsettled = Confirmation.objects.filter(state__in=UNSETTLED_CONFIRMATIONS)
    unsettled.update(wake_at=timezone.now())
    StockMovement.objects.filter(state="claimed").update(lease_until=timezone.now())
    StockMovement.objects.update(not_before=None)
    while lifecycle.advance_due():
        pass


def settle() -> None:
    """Do a worker's work, once it is certain that whoever sent something is gone."""
    for state in (MovementState.SENT, MovementState.UNKNOWN):
        now = timezone.now()
        StockMovement.objects.filter(state=state).update(lease_until=now, settles_at=now)
        advance_all()
