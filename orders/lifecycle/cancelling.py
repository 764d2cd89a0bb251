"""Cancelling: nothing more is taken, and what was taken is given back."""

from collections.abc import Callable

from django.db import transaction

from orders.actor import Actor
from orders.lifecycle.advancing import advance
from orders.lifecycle.confirming import HOLD
from orders.lifecycle.records import (
    add_note,
    lock_live_confirmation,
    lock_order,
    record,
    require_move,
    require_version,
)
from orders.models import Order
from orders.status import CancelReason, ConfirmationState, EventKind, OrderStatus, StockState
from orders.stock import ledger


def cancel(
    number: int,
    *,
    actor: Actor,
    reason: CancelReason | None = None,
    note: str = "",
    expected_version: int | None = None,
    recheck: Callable[[Order], None] | None = None,
    hold: float = HOLD,
) -> Order:
    """Make the order CANCELLED and give back its stock; the note is kept with the order's notes.

    A CONFIRMED order is CANCELLED at once and its stock settles after. A PENDING one with a live
    confirmation is CANCELLED when that has given everything back; a call in flight settles first.
    ``recheck`` gets the order once it is locked, whatever it is by then, and may raise. Returns the
    order, its stock still settling when that takes longer than ``hold`` seconds. Raises
    `Forbidden`, `OrderNotFound`, `StaleVersion` or `IllegalTransition`.
    """
    with transaction.atomic(durable=True):
        order = lock_order(number)
        actor.require_cancel(order)
        if recheck is not None:
            recheck(order)
        if order.status == OrderStatus.CANCELLED:
            return order
        confirmation = lock_live_confirmation(order)
        if confirmation is None or confirmation.cancel_requested_at is None:
            require_version(order, expected_version)  # who repeats a cancel has seen no other
        require_move(order, OrderStatus.CANCELLED)
        why: dict[str, object] = {"reason": reason} if reason else {}
        if confirmation is None:
            add_note(order, actor, note)
            record(
                order,
                EventKind.CANCELLED,
                actor=actor.label,
                via=actor.via,
                status=OrderStatus.CANCELLED,
                stock=StockState.CLEAR,
                data=why,
            )
            return order
        if confirmation.state == ConfirmationState.CONFIRMED:
            ledger.plan_reversals(confirmation)
            kind, status = EventKind.CANCELLED, OrderStatus.CANCELLED
        else:
            kind, status = EventKind.CANCELLATION_REQUESTED, None
        if confirmation.cancel_requested_at is None:
            add_note(order, actor, note)
            record(
                order,
                kind,
                actor=actor.label,
                via=actor.via,
                status=status,
                stock=StockState.SETTLING,
                data=why,
            )
            # Once: who repeats it must not wake what waits for long, as for a person.
            ledger.request_cancel(confirmation)
    advance(confirmation.pk, hold=hold)
    order.refresh_from_db()
    return order
