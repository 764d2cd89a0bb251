"""Completing: CONFIRMED → COMPLETED; the goods have left."""

from django.db import transaction

from orders.actor import Actor
from orders.lifecycle.records import lock_order, record, require_move, require_version
from orders.models import Order
from orders.status import EventKind, OrderStatus


def complete(number: int, *, actor: Actor, expected_version: int | None = None) -> Order:
    """Make a CONFIRMED order COMPLETED, which is final.

    Raises `Forbidden`, `OrderNotFound`, `StaleVersion` or `IllegalTransition`.
    """
    actor.require("complete")
    with transaction.atomic(durable=True):
        order = lock_order(number)
        if order.status == OrderStatus.COMPLETED:
            return order
        require_version(order, expected_version)
        require_move(order, OrderStatus.COMPLETED)
        record(
            order,
            EventKind.COMPLETED,
            actor=actor.label,
            via=actor.via,
            status=OrderStatus.COMPLETED,
        )
    return order
