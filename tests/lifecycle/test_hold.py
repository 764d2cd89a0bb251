"""Holding: nobody confirms the order until it is released."""

import threading

import pytest
from django.db import connection

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.errors import BeingConfirmed, Forbidden, NotPending, OnHold, StaleVersion
from orders.models import Confirmation, OrderEvent
from orders.status import CancelReason, HoldReason
from tests.factories import OPERATOR, actor, order, order_of, stock

pytestmark = pytest.mark.usefixtures("committed_db")


def test_hold_keeps_the_order_from_being_confirmed_until_it_is_released(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    placed = order_of(p10=2)

    held = lifecycle.hold(
        placed.pk, actor=actor("fulfilment"), reason=HoldReason.PAYMENT, note="Ask Jo"
    )

    assert (held.status, held.hold_reason, held.version) == ("PENDING", "payment", 2)
    assert held.held_since == held.updated_at
    assert [note.text for note in held.notes.all()] == ["Ask Jo"]
    with pytest.raises(OnHold) as refused:
        lifecycle.confirm(placed.pk, actor=OPERATOR)
    assert refused.value.reason is HoldReason.PAYMENT
    batch = lifecycle.confirm_many([placed.pk], actor=OPERATOR)
    assert (stock(sandbox), Confirmation.objects.count()) == ({"10": 45}, 0)
    assert batch.entries.get().code == "on_hold"

    released = lifecycle.release(placed.pk, actor=actor("fulfilment"))

    assert (released.hold_reason, released.held_since, released.version) == ("", None, 3)
    assert lifecycle.confirm(placed.pk, actor=OPERATOR).status == "CONFIRMED"
    kinds = OrderEvent.objects.filter(order=placed).values_list("kind", "data")
    assert list(kinds)[:2] == [("held", {"reason": "payment"}), ("released", {})]


def test_hold_twice_is_one_hold_and_another_reason_replaces_the_first() -> None:
    placed = order()

    lifecycle.hold(placed.pk, actor=OPERATOR, reason=HoldReason.FRAUD)
    again = lifecycle.hold(placed.pk, actor=OPERATOR, reason=HoldReason.FRAUD, expected_version=1)
    assert again.version == 2

    other = lifecycle.hold(placed.pk, actor=OPERATOR, reason=HoldReason.OTHER)
    assert (other.hold_reason, other.version) == ("other", 3)


def test_release_an_order_that_is_not_on_hold_changes_nothing() -> None:
    placed = order()

    assert lifecycle.release(placed.pk, actor=OPERATOR).version == 1
    assert not OrderEvent.objects.exists()


def test_hold_while_the_stock_is_being_taken_is_refused(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    placed = order_of(p10=2)
    lifecycle.confirm_many([placed.pk], actor=OPERATOR)

    with pytest.raises(BeingConfirmed):
        lifecycle.hold(placed.pk, actor=OPERATOR, reason=HoldReason.OTHER)


def test_hold_and_confirm_at_once_leaves_one_of_the_two(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    for _ in range(20):
        placed = order_of(p10=1)
        together = threading.Barrier(2)
        refused: list[Exception] = []

        def attempt(verb: str, number: int = placed.pk) -> None:
            together.wait()  # noqa: B023 - joined before the next round
            try:
                if verb == "hold":
                    lifecycle.hold(number, actor=OPERATOR, reason=HoldReason.OTHER)
                else:
                    lifecycle.confirm(number, actor=OPERATOR)
            except (OnHold, BeingConfirmed, NotPending) as exc:
                refused.append(exc)  # noqa: B023
            finally:
                connection.close()

        threads = [threading.Thread(target=attempt, args=[verb]) for verb in ("hold", "confirm")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        placed.refresh_from_db()
        assert (placed.status, placed.hold_reason) in (("CONFIRMED", ""), ("PENDING", "other"))
        assert len(refused) == 1


def test_hold_a_confirmed_order_is_refused(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    placed = order_of(p10=2)
    lifecycle.confirm(placed.pk, actor=OPERATOR)

    with pytest.raises(NotPending):
        lifecycle.hold(placed.pk, actor=OPERATOR, reason=HoldReason.OTHER)


def test_hold_by_who_saw_an_older_version_is_refused() -> None:
    placed = order()
    lifecycle.hold(placed.pk, actor=OPERATOR, reason=HoldReason.OTHER)

    with pytest.raises(StaleVersion):
        lifecycle.hold(placed.pk, actor=OPERATOR, reason=HoldReason.FRAUD, expected_version=1)
    with pytest.raises(StaleVersion):
        lifecycle.release(placed.pk, actor=OPERATOR, expected_version=1)


def test_hold_without_the_permission_is_forbidden() -> None:
    placed = order()

    for role in ("viewer", "auditor"):
        with pytest.raises(Forbidden):
            lifecycle.hold(placed.pk, actor=actor(role), reason=HoldReason.OTHER)
        with pytest.raises(Forbidden):
            lifecycle.release(placed.pk, actor=actor(role))


def test_cancel_an_order_on_hold_ends_the_hold() -> None:
    placed = order()
    lifecycle.hold(placed.pk, actor=OPERATOR, reason=HoldReason.FRAUD)

    cancelled = lifecycle.cancel(placed.pk, actor=OPERATOR, reason=CancelReason.FRAUD)

    cancelled.refresh_from_db()
    assert (cancelled.status, cancelled.hold_reason) == ("CANCELLED", "")
    assert cancelled.held_since is None
    assert OrderEvent.objects.filter(order=placed).last().data == {"reason": "fraud"}  # type: ignore[union-attr]
