"""Holding: a PENDING order is kept from being confirmed, by anybody, until it is released."""

from django.db import transaction

from orders.actor import Actor
from orders.lifecycle.records import (
    add_note,
    lock_order,
    record,
    require_at_rest,
    require_version,
)
from orders.models import Order
from orders.status import EventKind, HoldReason


def hold(
    number: int,
    *,
    actor: Actor,
    reason: HoldReason,
    note: str = "",
    expected_version: int | None = None,
) -> Order:
    """Keep a PENDING order from being confirmed; the note is kept with the order's notes.

    An order that is on hold for this reason is returned as it is; for another one, that one is
    written down. Raises `Forbidden`, `OrderNotFound`, `StaleVersion`, `NotPending` or
    `BeingConfirmed`: what is being taken already is stopped by cancelling alone.
    """
    actor.require("hold")
    with transaction.atomic(durable=True):
        order = lock_order(number)
        if order.hold_reason == reason:
            return order
        require_version(order, expected_version)
        require_at_rest(order)
        add_note(order, actor, note)
        record(
            order,
            EventKind.HELD,
            actor=actor.label,
            via=actor.via,
            hold=reason,
            data={"reason": reason},
        )
    return order


def release(
    number: int, *, actor: Actor, note: str = "", expected_version: int | None = None
) -> Order:
    """Let an order that is on hold be confirmed again; one that is not is returned as it is.

    Raises `Forbidden`, `OrderNotFound` or `StaleVersion`.
    """
    actor.require("release")
    with transaction.atomic(durable=True):
        order = lock_order(number)
        if not order.hold_reason:
            return order
        require_version(order, expected_version)
        add_note(order, actor, note)
        record(order, EventKind.RELEASED, actor=actor.label, via=actor.via, hold="")
    return order
