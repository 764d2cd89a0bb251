"""Confirming: PENDING → CONFIRMED, by taking the order's stock."""

from datetime import timedelta

from django.db import transaction

from orders.actor import Actor
from orders.errors import IllegalTransition
from orders.lifecycle.advancing import advance
from orders.lifecycle.failures import failure_of
from orders.lifecycle.records import (
    lock_live_confirmation,
    lock_order,
    record,
    require_version,
    why_not_confirm,
)
from orders.models import Confirmation, Order
from orders.status import EventKind, OrderStatus, StockState
from orders.stock import ledger

# Seconds. A caller stays with its confirmation for HOLD; should it die, a worker takes over.
HOLD = 2.0
WORKER_TAKES_OVER = timedelta(seconds=5)


def confirm(
    number: int, *, actor: Actor, expected_version: int | None = None, hold: float = HOLD
) -> Order:
    """Take the order's stock and make it CONFIRMED, or join whoever is doing so.

    Returns the order: CONFIRMED, or still PENDING with its stock settling when that takes longer
    than ``hold`` seconds; a worker finishes it then. Raises `Forbidden`, `StaleVersion`,
    `IllegalTransition`, `OnHold`, `InsufficientStock`, `InventoryUnavailable` or
    `InventoryRefused`; after each of them the order holds no stock.
    """
    actor.require("confirm")
    with transaction.atomic(durable=True):
        order = lock_order(number)
        if order.status == OrderStatus.CONFIRMED:
            return order
        confirmation = lock_live_confirmation(order)
        if confirmation is None:  # who joins one that runs has started it, or would have
            require_version(order, expected_version)
        if (refusal := why_not_confirm(order)) is not None:
            raise refusal
        if confirmation is not None and confirmation.cancel_requested_at is not None:
            raise IllegalTransition(
                OrderStatus(order.status), OrderStatus.CONFIRMED, "it is being cancelled"
            )
        opened = confirmation is None
        if confirmation is not None:
            confirmation_id = confirmation.pk
        else:
            confirmation_id = ledger.open_confirmations(
                [number], actor=actor.label, via=actor.via, wake_in=WORKER_TAKES_OVER
            )[number]
            record(
                order,
                EventKind.CONFIRMATION_REQUESTED,
                actor=actor.label,
                via=actor.via,
                stock=StockState.SETTLING,
            )
    # Who joins a batch's confirmation must not give it up: a batch waits for the inventory.
    advance(confirmation_id, hold=hold, give_up_unreachable=opened)
    return _outcome(confirmation_id)


def _outcome(confirmation_id: int) -> Order:
    """Return the confirmation's order, or raise why the confirmation came to nothing."""
    confirmation = Confirmation.objects.select_related("order").get(pk=confirmation_id)
    error = failure_of(confirmation)
    if error is not None:
        raise error
    return confirmation.order
