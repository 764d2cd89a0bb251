"""Cancelling: before, during and after the stock was taken."""

import pytest

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.actor import Actor
from orders.errors import Forbidden, IllegalTransition, StaleVersion
from orders.models import OrderEvent, StockMovement
from orders.status import Door
from tests.admin.desk import in_review
from tests.factories import OPERATOR, actor, order, order_of, stock, user

pytestmark = pytest.mark.usefixtures("committed_db")


def test_cancel_a_pending_order_moves_nothing(sandbox: Sandbox) -> None:
    pending = order_of(p10=2)

    cancelled = lifecycle.cancel(pending.pk, actor=OPERATOR, note="changed their mind")

    assert (cancelled.status, cancelled.stock_state) == ("CANCELLED", "clear")
    event = OrderEvent.objects.get(order=pending)
    assert (event.kind, event.data) == ("cancelled", {})
    assert [note.text for note in pending.notes.all()] == ["changed their mind"]


def test_cancel_a_confirmed_order_gives_everything_back(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45, "9": 5})
    confirmed = order_of(p10=2, p9=1)
    lifecycle.confirm(confirmed.pk, actor=OPERATOR)

    cancelled = lifecycle.cancel(confirmed.pk, actor=OPERATOR)

    assert (cancelled.status, cancelled.stock_state) == ("CANCELLED", "clear")
    assert stock(sandbox) == {"10": 45, "9": 5}
    assert [e.kind for e in OrderEvent.objects.filter(order=confirmed)] == [
        "confirmation_requested",
        "confirmed",
        "cancelled",
        "restocked",
    ]
    assert StockMovement.objects.filter(reverses__isnull=False, state="applied").count() == 2


def test_cancel_twice_gives_back_once(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    confirmed = order_of(p10=2)
    lifecycle.confirm(confirmed.pk, actor=OPERATOR)

    lifecycle.cancel(confirmed.pk, actor=OPERATOR)
    lifecycle.cancel(confirmed.pk, actor=OPERATOR)

    assert stock(sandbox) == {"10": 45}


def test_cancel_a_confirmed_order_while_inventory_is_down_settles_later(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    confirmed = order_of(p10=2)
    lifecycle.confirm(confirmed.pk, actor=OPERATOR)
    sandbox.switches.update({"down": "503"})

    cancelled = lifecycle.cancel(confirmed.pk, actor=OPERATOR, hold=0.2)

    assert (cancelled.status, cancelled.stock_state) == ("CANCELLED", "settling")
    sandbox.switches.update({"down": ""})
    lifecycle.advance(confirmed.confirmations.get().pk, hold=20)
    cancelled.refresh_from_db()
    assert (cancelled.status, cancelled.stock_state) == ("CANCELLED", "clear")
    assert stock(sandbox) == {"10": 45}


def test_cancel_a_completed_order_is_illegal(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    completed = order_of(p10=2)
    lifecycle.confirm(completed.pk, actor=OPERATOR)
    lifecycle.complete(completed.pk, actor=OPERATOR)

    with pytest.raises(IllegalTransition):
        lifecycle.cancel(completed.pk, actor=OPERATOR)

    assert stock(sandbox) == {"10": 43}


def test_cancel_with_a_stale_version_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(StaleVersion):
        lifecycle.cancel(order_of(p10=2).pk, actor=OPERATOR, expected_version=9)


def test_cancel_by_the_owner_is_allowed_while_pending_only(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    customer = Actor(via=Door.API, user=user())
    pending, confirmed = order(owner=customer.user), order_of(p10=2)
    confirmed.owner = customer.user
    confirmed.save()
    lifecycle.confirm(confirmed.pk, actor=OPERATOR)

    assert lifecycle.cancel(pending.pk, actor=customer).status == "CANCELLED"
    with pytest.raises(Forbidden):
        lifecycle.cancel(confirmed.pk, actor=customer)
    with pytest.raises(Forbidden):
        lifecycle.cancel(order().pk, actor=customer)


@pytest.mark.parametrize(("role", "allowed"), [("fulfilment", False), ("manager", True)])
def test_cancel_needs_the_permission(sandbox: Sandbox, role: str, allowed: bool) -> None:
    pending = order()
    try:
        lifecycle.cancel(pending.pk, actor=actor(role))
    except Forbidden:
        assert not allowed
    else:
        assert allowed


def test_cancel_repeated_does_not_wake_what_waits_for_a_person(sandbox: Sandbox) -> None:
    """As a batch does that cancels an order in review, each time that a worker looks at it."""
    order, _ = in_review(sandbox)
    lifecycle.cancel(order.pk, actor=OPERATOR, hold=0)
    assert lifecycle.advance_due()
    for _ in range(2):
        lifecycle.cancel(order.pk, actor=OPERATOR, hold=0)
        due_in = lifecycle.next_due_in()
        assert due_in is not None
        assert due_in > 600
