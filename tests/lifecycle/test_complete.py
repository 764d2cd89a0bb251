"""Completing an order."""

import pytest

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.errors import Forbidden, IllegalTransition, OrderNotFound, StaleVersion
from tests.factories import OPERATOR, actor, order_of

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def confirmed(sandbox: Sandbox) -> int:
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    lifecycle.confirm(order.pk, actor=OPERATOR)
    return order.pk


def test_complete_a_confirmed_order_is_final(confirmed: int) -> None:
    first = lifecycle.complete(confirmed, actor=actor("fulfilment"))
    again = lifecycle.complete(confirmed, actor=OPERATOR, expected_version=1)

    assert (first.status, again.status) == ("COMPLETED", "COMPLETED")
    assert list(first.events.values_list("kind", "from_status", "to_status"))[-1] == (
        "completed",
        "CONFIRMED",
        "COMPLETED",
    )
    with pytest.raises(IllegalTransition):
        lifecycle.confirm(confirmed, actor=OPERATOR)


def test_complete_a_pending_order_is_illegal(sandbox: Sandbox) -> None:
    with pytest.raises(IllegalTransition):
        lifecycle.complete(order_of(p10=2).pk, actor=OPERATOR)


def test_complete_with_a_stale_version_is_refused(confirmed: int) -> None:
    with pytest.raises(StaleVersion):
        lifecycle.complete(confirmed, actor=OPERATOR, expected_version=1)


def test_complete_without_the_permission_is_forbidden(confirmed: int) -> None:
    with pytest.raises(Forbidden):
        lifecycle.complete(confirmed, actor=actor("viewer"))


def test_complete_an_order_that_is_not_there_is_not_found(sandbox: Sandbox) -> None:
    with pytest.raises(OrderNotFound):
        lifecycle.complete(1, actor=OPERATOR)
