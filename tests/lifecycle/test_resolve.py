"""A person's decision on a movement whose outcome nobody could prove."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.errors import Forbidden, NotInReview
from orders.models import OrderNote
from orders.stock import engine
from tests.admin.desk import in_review
from tests.factories import OPERATOR, actor, stock

pytestmark = pytest.mark.usefixtures("committed_db")


def test_resolve_as_applied_confirms_the_order_without_another_call(sandbox: Sandbox) -> None:
    order, movement = in_review(sandbox, "500_after")
    manager = actor("manager")

    resolved = lifecycle.resolve(movement.pk, applied=True, note="found in its log", actor=manager)
    assert resolved.stock_state == "settling"
    lifecycle.advance(order.confirmations.get().pk, hold=2)

    order.refresh_from_db()
    movement.refresh_from_db()
    assert (order.status, order.stock_state) == ("CONFIRMED", "clear")
    assert (movement.state, movement.resolved_by) == ("applied", manager.label)
    assert stock(sandbox) == {"10": 50}
    note = OrderNote.objects.get(order=order)
    assert (note.text, note.author) == ("found in its log", manager.user)
    event = order.events.get(kind="review_resolved")
    assert event.data == {"movement": str(movement.pk), "applied": True}


def test_resolve_as_not_applied_takes_the_stock_again(sandbox: Sandbox) -> None:
    order, movement = in_review(sandbox, "500_before")

    lifecycle.resolve(movement.pk, applied=False, note="not in its log", actor=OPERATOR)
    lifecycle.advance(order.confirmations.get().pk, hold=2)

    order.refresh_from_db()
    assert (order.status, stock(sandbox)) == ("CONFIRMED", {"10": 48})


def test_resolve_twice_is_refused(sandbox: Sandbox) -> None:
    _, movement = in_review(sandbox, "500_before")
    lifecycle.resolve(movement.pk, applied=True, note="found", actor=OPERATOR)
    with pytest.raises(NotInReview):
        lifecycle.resolve(movement.pk, applied=False, note="lost", actor=OPERATOR)
    assert OrderNote.objects.count() == 1


def test_resolve_during_a_review_by_cancelling_ends_cancelled(sandbox: Sandbox) -> None:
    order, movement = in_review(sandbox, "500_after")
    lifecycle.cancel(order.pk, actor=OPERATOR, hold=0.1)
    lifecycle.resolve(movement.pk, applied=True, note="found", actor=OPERATOR)
    lifecycle.advance(order.confirmations.get().pk, hold=2)

    order.refresh_from_db()
    assert (order.status, order.stock_state) == ("CANCELLED", "clear")
    assert stock(sandbox) == {"10": 52}


def test_resolve_needs_the_permission_a_note_and_a_review(sandbox: Sandbox) -> None:
    _, movement = in_review(sandbox, "500_before")
    with pytest.raises(Forbidden):
        lifecycle.resolve(movement.pk, applied=True, note="x", actor=actor("fulfilment"))
    with pytest.raises(ValueError, match="note"):
        lifecycle.resolve(movement.pk, applied=True, note="  ", actor=OPERATOR)
    with pytest.raises(NotInReview):
        lifecycle.resolve(uuid4(), applied=True, note="x", actor=OPERATOR)


def test_resolve_before_the_review_was_shown_is_not_forgotten(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process sees the review, a person decides it, and only then does the process say so."""
    order, movement = in_review(sandbox, "500_before")
    run = engine.run

    def run_slowly(confirmations: Sequence[int], **options: Any) -> dict[int, engine.Answer]:
        answers = run(confirmations, **options)
        monkeypatch.setattr(engine, "run", run)
        lifecycle.resolve(movement.pk, applied=True, note="found", actor=OPERATOR)
        return answers

    monkeypatch.setattr(engine, "run", run_slowly)
    lifecycle.advance(order.confirmations.get().pk)

    order.refresh_from_db()
    assert order.stock_state == "settling"
    assert lifecycle.next_due_in() == 0
    assert lifecycle.advance_due()
    order.refresh_from_db()
    assert (order.status, order.stock_state) == ("CONFIRMED", "clear")
