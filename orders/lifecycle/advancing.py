"""Advancing a confirmation: the one path that requests, workers and operators all take."""

from datetime import timedelta
from functools import partial

import structlog
from django.db import transaction

from orders.lifecycle import entries
from orders.lifecycle.failures import failure_of
from orders.lifecycle.nudging import nudge
from orders.lifecycle.records import record
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
from orders.stock.protocol import Returned, Review, Settled, Taken, Wait, next_step
from orderservice.postgresql.fetching import fetch_one

log = structlog.get_logger(__name__)


_ITS_ORDER = "number = (SELECT order_id FROM orders_confirmation WHERE id = %(id)s) FOR UPDATE"


def advance(
    confirmation_id: int, *, hold: float | None = None, give_up_unreachable: bool = False
) -> None:
    """Move the confirmation's stock as far as it goes now, and close it when it is done.

    ``hold`` and ``give_up_unreachable`` are those of `orders.stock.engine.run`. What is not done
    by then is left to a worker, at the time when there is something to do; a caller with a ``hold``
    nudges it. Any number of processes may advance one confirmation at once.
    """
    while True:
        answer = engine.run(
            confirmation_id,
            hold=hold,
            give_up_unreachable=give_up_unreachable,
            on_late=partial(_call_a_worker, confirmation_id),
        )
        match answer:
            case Settled():
                return
            case Wait(until):
                ledger.sleep(confirmation_id, until)
                if hold is not None:
                    nudge()
                return
            case Review():
                _ask_a_person(confirmation_id)
                return
            case Taken() | Returned():
                _close(confirmation_id, answer)


def _call_a_worker(confirmation_id: int) -> None:
    """Have a worker go on, now that there is an answer for which nobody had stayed."""
    ledger.wake(confirmation_id)
    nudge()


def advance_due() -> bool:
    """Advance the confirmation that is due longest; tell whether there was one.

    One that fails is logged and comes up again after the lease: it must not stop the others.
    """
    confirmation_id = ledger.take_due(hold=timing.lease())
    if confirmation_id is None:
        return False
    number = Confirmation.objects.values_list("order_id", flat=True).get(pk=confirmation_id)
    with structlog.contextvars.bound_contextvars(order=number):
        try:
            advance(confirmation_id)
        except Exception:
            log.exception("confirmation_not_advanced")
    return True


def _lock(confirmation_id: int) -> tuple[Order, Confirmation]:
    """Lock the order, then its confirmation: everybody's order of locks."""
    key = {"id": confirmation_id}
    order = fetch_one(Order, _ITS_ORDER, key)
    confirmation = fetch_one(Confirmation, "id = %(id)s FOR UPDATE", key)
    if order is None or confirmation is None:
        raise Confirmation.DoesNotExist(confirmation_id)
    return order, confirmation


def _close(confirmation_id: int, answer: Taken | Returned) -> None:
    """Change confirmation and order together, unless somebody was faster or asked to cancel."""
    with transaction.atomic(durable=True):
        order, confirmation = _lock(confirmation_id)
        if isinstance(answer, Taken):
            if (
                confirmation.state == ConfirmationState.RUNNING
                and confirmation.cancel_requested_at is None
            ):
                _close_confirmed(order, confirmation)
        elif confirmation.state == ConfirmationState.REVERSING:
            _close_returned(order, confirmation)


def _close_confirmed(order: Order, confirmation: Confirmation) -> None:
    ledger.close(confirmation, ConfirmationState.CONFIRMED)
    entries.end(order, Verb.CONFIRM)
    record(
        order,
        EventKind.CONFIRMED,
        actor=confirmation.actor,
        via=confirmation.via,
        status=OrderStatus.CONFIRMED,
        stock=StockState.CLEAR,
    )


def _close_returned(order: Order, confirmation: Confirmation) -> None:
    """Nothing is held any more: say whether that ends a cancellation or a failed confirmation."""
    if confirmation.cancel_requested_at is None:
        ledger.close(confirmation, ConfirmationState.REJECTED)
        short = confirmation.failure == FailureReason.INSUFFICIENT_STOCK
        record(
            order,
            EventKind.CONFIRMATION_FAILED,
            actor=confirmation.actor,
            via=confirmation.via,
            stock=StockState.SHORT if short else StockState.CLEAR,
            data={"reason": confirmation.failure, "items": confirmation.shortages},
        )
        entries.end(order, Verb.CONFIRM, failure_of(confirmation))
        return
    ledger.close(confirmation, ConfirmationState.CANCELLED)
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
    entries.end(order, Verb.CONFIRM, failure_of(confirmation))
    entries.end(order, Verb.CANCEL)


def _ask_a_person(confirmation_id: int) -> None:
    """Show on the order that a movement needs a person; once, and unless one was faster."""
    with transaction.atomic(durable=True):
        order, _ = _lock(confirmation_id)
        loaded = ledger.load(confirmation_id)
        if not isinstance(next_step(loaded.rows, loaded.now), Review):
            return  # decided since we looked: that woke it, and the long sleep would lose it
        if order.stock_state != StockState.REVIEW:
            record(
                order,
                EventKind.REVIEW_NEEDED,
                actor="system",
                via=Door.WORKER,
                stock=StockState.REVIEW,
            )
        # Whoever resolves the review wakes it; the long sleep is for the one who forgets.
        ledger.sleep(confirmation_id, loaded.now + timedelta(hours=1))
