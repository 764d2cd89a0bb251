"""Confirming many orders at once: a batch that a worker carries out."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.errors import Forbidden
from orders.models import Confirmation, Order, OrderEvent, StockAttempt, StockMovement
from tests.factories import OPERATOR, actor, order_of, stock

pytestmark = pytest.mark.usefixtures("committed_db")


def work() -> None:
    while lifecycle.advance_due():
        pass


def test_confirm_many_opens_all_and_a_worker_confirms_them(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45, "9": 45})
    numbers = [order_of(p10=2, p9=1).pk for _ in range(5)]

    batch = lifecycle.confirm_many(numbers, actor=OPERATOR)

    assert set(Order.objects.values_list("status", "stock_state")) == {("PENDING", "settling")}
    work()
    assert set(Order.objects.values_list("status", "stock_state")) == {("CONFIRMED", "clear")}
    assert stock(sandbox) == {"10": 35, "9": 40}
    assert batch.confirmations.count() == batch.selected == 5
    assert OrderEvent.objects.filter(kind="confirmation_requested").count() == 5


def test_confirm_many_costs_the_same_number_of_statements_for_any_number(
    sandbox: Sandbox,
) -> None:
    counts = []
    for size in (1, 20):
        numbers = [order_of(p10=1).pk for _ in range(size)]
        with CaptureQueriesContext(connection) as queries:
            lifecycle.confirm_many(numbers, actor=OPERATOR)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_confirm_many_twice_changes_nothing(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    numbers = [order_of(p10=2).pk for _ in range(3)]
    lifecycle.confirm_many(numbers, actor=OPERATOR)
    again = lifecycle.confirm_many(numbers, actor=OPERATOR)
    work()
    later = lifecycle.confirm_many(numbers, actor=OPERATOR)
    work()

    assert stock(sandbox) == {"10": 39}
    assert Confirmation.objects.count() == 3
    assert again.confirmations.count() == later.confirmations.count() == 0


def test_confirm_many_with_scarce_stock_serves_the_oldest_first(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 2})
    numbers = [order_of(p10=1).pk for _ in range(4)]
    lifecycle.confirm_many(numbers[::-1], actor=OPERATOR)
    work()

    by_number = dict(Order.objects.values_list("number", "status"))
    assert [by_number[n] for n in numbers] == ["CONFIRMED", "CONFIRMED", "PENDING", "PENDING"]
    assert stock(sandbox) == {"10": 0}
    assert StockMovement.objects.filter(state="rejected").count() == 2
    assert StockAttempt.objects.count() == 2


def test_confirm_many_without_the_permission_is_forbidden(sandbox: Sandbox) -> None:
    with pytest.raises(Forbidden):
        lifecycle.confirm_many([order_of(p10=1).pk], actor=actor("viewer"))
    assert Confirmation.objects.count() == 0
