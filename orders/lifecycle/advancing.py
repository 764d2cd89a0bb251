"""Advancing a confirmation: the one path that requests, workers and operators all take."""

from collections.abc import Sequence
from datetime import timedelta
from threading import BoundedSemaphore

import structlog
from django.db import transaction

from orders.lifecycle import entries
from orders.lifecycle.failures import failure_of
from orders.lifecycle.nudging import nudge
from orders.lifecycle.records import Change, record, record_all
from orders.models import Confirmation, Order
from orders.status import (
    ConfirmationState,
    Door,
    EventKind,
    FailureReason,
    OrderStatus,
    StockState,
    Verb,
)
from orders.stock import engine, ledger, timing
from orders.stock.protocol import Returned, Review, Taken, Wait, next_step
from orderservice.metrics import instruments
from orderservice.postgresql.fetching import fetch

log = structlog.get_logger(__name__)


# So many confirmations side by side, in so many threads of a process; its other threads take one at
# a time. What a killed worker has in flight may want people to look, so there are no more (ADR 17).
AT_ONCE = 8
_several = BoundedSemaphore(2)
_THEIR_ORDERS = """
number IN (SELECT order_id FROM orders_confirmation WHERE id = ANY(%(ids)s))
 ORDER BY number FOR UPDATE
"""
_THEM = "id = ANY(%(ids)s) ORDER BY id FOR UPDATE"


def advance(
    confirmation_id: int, *, hold: float | None = None, give_up_unreachable: bool = False
) -> None:
    """Move the confirmation's stock as far as it goes now, and close it when it is done.

    ``hold`` and ``give_up_unreachable`` are those of `orders.stock.engine.run`. What is not done
    by then is left to a worker, at the time when there is something to do; a caller with a ``hold``
    nudges it. Any number of processes may advance one confirmation at once.
    """
    _advance([confirmation_id], hold=hold, give_up_unreachable=give_up_unreachable)


def _advance(
    confirmations: Sequence[int], *, hold: float | None = None, give_up_unreachable: bool = False
) -> None:
    while confirmations:
        answers = engine.run(
            confirmations,
            hold=hold,
            give_up_unreachable=give_up_unreachable,
            on_late=_call_a_worker,
        )
        waits, taken, returned = {}, [], []
        for confirmation_id, answer in answers.items():
            match answer:
                case Wait(until):
                    waits[confirmation_id] = until
                case Review():
                    _ask_a_person(confirmation_id)
                case Taken():
                    taken.append(confirmation_id)
                case Returned():
                    returned.append(confirmation_id)
        if waits:
            ledger.sleep(waits)
            if hold is not None:
                nudge()
        if taken or returned:
            _close(taken, returned)
        confirmations = taken + returned  # which are settled now, unless somebody wants otherwise


def _call_a_worker(confirmation_id: int) -> None:
    """Have a worker go on, now that there is an answer for which nobody had stayed."""
    ledger.wake(confirmation_id)
    nudge()


def advance_due() -> bool:
    """Advance the confirmations that are due longest; tell whether there was one.

    Two threads of a process take several, the others one each. One that fails is logged and comes
    up again after the lease: it must not stop the others.
    """
    takes_several = _several.acquire(blocking=False)
    try:
        confirmations = ledger.take_due(timing.lease(), AT_ONCE if takes_several else 1)
        if confirmations[1:]:
            try:
                _advance(confirmations)
            except Exception:  # one by one, then: the one at fault is named, and the others go on
                log.warning("confirmations_advanced_one_by_one", exc_info=True)
            else:
                return True
    finally:
        if takes_several:
            _several.release()
    for confirmation_id in confirmations:
        number = Confirmation.objects.values_list("order_id", flat=True).get(pk=confirmation_id)
        with structlog.contextvars.bound_contextvars(order=number):
            try:
                advance(confirmation_id)
            except Exception:
                log.exception("confirmation_not_advanced")
    return bool(confirmations)


def _lock(confirmations: Sequence[int]) -> list[tuple[Order, Confirmation]]:
    """Lock the orders, then their confirmations: everybody's order of locks."""
    keys = {"ids": list(confirmations)}
    orders = {order.pk: order for order in fetch(Order, _THEIR_ORDERS, keys)}
    return [(orders[each.order_id], each) for each in fetch(Confirmation, _THEM, keys)]


def _close(taken: Sequence[int], returned: Sequence[int]) -> None:
    """Close the confirmations that have all their stock, and those that hold none any more."""
    if taken:
        _close_confirmed(taken)
    for confirmation_id in returned:
        _close_returned(confirmation_id)


def _close_confirmed(confirmations: Sequence[int]) -> None:
    """Change orders and confirmations together, where nobody was faster or asked to cancel."""
    with transaction.atomic(durable=True):
        closing = [
            (order, confirmation)
            for order, confirmation in _lock(confirmations)
            if confirmation.state == ConfirmationState.RUNNING
            and confirmation.cancel_requested_at is None
        ]
        if closing:
            orders = [order for order, _ in closing]
            ledger.close([each for _, each in closing], ConfirmationState.CONFIRMED)
            entries.end(orders, Verb.CONFIRM)
            record_all(
                Change(
                    order,
                    EventKind.CONFIRMED,
                    actor=confirmation.actor,
                    via=confirmation.via,
                    status=OrderStatus.CONFIRMED,
                    stock=StockState.CLEAR,
                )
                for order, confirmation in closing
            )
    instruments.confirmations.labels("confirmed").inc(len(closing))


def _close_returned(confirmation_id: int) -> None:
    """Nothing is held any more: say whether that ends a cancellation or a failed confirmation."""
    with transaction.atomic(durable=True):
        [(order, confirmation)] = _lock([confirmation_id])
        if confirmation.state != ConfirmationState.REVERSING:
            return
        if confirmation.cancel_requested_at is None:
            _end_failed(order, confirmation)
            outcome = confirmation.failure
        else:
            _end_cancelled(order, confirmation)
            outcome = "cancelled"
    instruments.confirmations.labels(outcome).inc()


def _end_failed(order: Order, confirmation: Confirmation) -> None:
    ledger.close([confirmation], ConfirmationState.REJECTED)
    short = confirmation.failure == FailureReason.INSUFFICIENT_STOCK
    record(
        order,
        EventKind.CONFIRMATION_FAILED,
        actor=confirmation.actor,
        via=confirmation.via,
        stock=StockState.SHORT if short else StockState.CLEAR,
        data={"reason": confirmation.failure, "items": confirmation.shortages},
    )
    entries.end([order], Verb.CONFIRM, failure_of(confirmation))


def _end_cancelled(order: Order, confirmation: Confirmation) -> None:
    ledger.close([confirmation], ConfirmationState.CANCELLED)
    restocked = order.status == OrderStatus.CANCELLED
    record(
        order,
        EventKind.RESTOCKED if restocked else EventKind.CANCELLED,
        actor="system",
        via=Door.WORKER,
        status=OrderStatus.CANCELLED,
        stock=StockState.CLEAR,
    )
    confirmation.order = order
    entries.end([order], Verb.CONFIRM, failure_of(confirmation))
    entries.end([order], Verb.CANCEL)


def _ask_a_person(confirmation_id: int) -> None:
    """Show on the order that a movement needs a person; once, and unless one was faster."""
    with transaction.atomic(durable=True):
        [(order, _)] = _lock([confirmation_id])
        [loaded] = ledger.load([confirmation_id])
        if not isinstance(next_step(loaded.rows, loaded.now), Review):
            return  # decided since we looked: that woke it, and the long sleep would lose it
        is_news = order.stock_state != StockState.REVIEW
        if is_news:
            record(
                order,
                EventKind.REVIEW_NEEDED,
                actor="system",
                via=Door.WORKER,
                stock=StockState.REVIEW,
            )
        # Whoever resolves the review wakes it; the long sleep is for the one who forgets.
        ledger.sleep({confirmation_id: loaded.now + timedelta(hours=1)})
    if is_news:
        instruments.confirmations.labels("review").inc()
