"""Whose turn it is: who holds a product, then who gives stock back, then who is due longest."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Confirmation, Order, StockMovement
from orders.stock import ledger
from tests.factories import OPERATOR, confirm_once, order_of

pytestmark = pytest.mark.usefixtures("committed_db")


def due_for(order: Order, seconds: float) -> int:
    """Have the order's confirmation be due for so long; return its key."""
    confirmation = order.confirmations.get()
    Confirmation.objects.filter(pk=confirmation.pk).update(
        wake_at=Now() - timedelta(seconds=seconds)
    )
    return confirmation.pk


def waiting(count: int) -> list[int]:
    """Return confirmations that have been due for minutes."""
    orders = [order_of(p10=1) for _ in range(count)]
    lifecycle.confirm_many([each.pk for each in orders], actor=OPERATOR)
    return [due_for(each, 600 - n) for n, each in enumerate(orders)]


def take_one_by_one(count: int) -> list[int]:
    taken = [ledger.take_due(timedelta(minutes=1), 1) for _ in range(count)]
    assert ledger.take_due(timedelta(minutes=1), 1) == []
    return [key for [key] in taken]


def test_who_is_due_longest_goes_first_so_that_nobody_starves() -> None:
    """Old confirmations that come up again and again must not keep the others from their turn."""
    older, younger = order_of(p10=1), order_of(p9=1)
    lifecycle.confirm_many([older.pk, younger.pk], actor=OPERATOR)
    first, second = due_for(younger, 180), due_for(older, 1)

    assert take_one_by_one(2) == [first, second]


@pytest.mark.parametrize("state", ["claimed", "sent", "unknown"])
def test_who_holds_a_product_goes_before_all_who_may_be_waiting_for_it(
    sandbox: Sandbox, state: str
) -> None:
    """Its holder is dead or in doubt, and nobody else can have the product before its turn."""
    sandbox.store.set_stock({"10": 45})
    holding = order_of(p10=2)
    sandbox.faults.script(fault="500_before")
    confirm_once(holding)
    StockMovement.objects.update(state=state)
    line = waiting(10)
    holder = due_for(holding, 1)

    assert take_one_by_one(11) == [holder, *line]


def test_who_gives_stock_back_goes_before_those_who_want_some(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    cancelled = order_of(p10=2)
    lifecycle.confirm(cancelled.pk, actor=OPERATOR, hold=5)
    sandbox.switches.update({"down": "503"})
    lifecycle.cancel(cancelled.pk, actor=OPERATOR, hold=0.1)
    line = waiting(10)
    giving_back = due_for(cancelled, 1)

    assert take_one_by_one(11) == [giving_back, *line]


def test_several_are_taken_in_the_same_order(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    holding = order_of(p10=2)
    sandbox.faults.script(fault="500_before")
    confirm_once(holding)
    line = waiting(5)
    holder = due_for(holding, 1)

    assert ledger.take_due(timedelta(minutes=1), 4) == sorted([holder, *line[:3]])
    assert ledger.take_due(timedelta(minutes=1), 4) == line[3:]
