"""Confirming many orders: one statement opens the batch, the worker carries it out."""

from collections.abc import Sequence

from django.db import transaction

from orders.actor import Actor
from orders.errors import IllegalTransition, InReview, OnHold, OrderError, OrderNotFound
from orders.lifecycle.confirming import failure_of
from orders.lifecycle.nudging import nudge
from orders.lifecycle.records import record_requests
from orders.models import Confirmation, ConfirmationBatch, Order
from orders.status import HoldReason, OrderStatus, StockState
from orders.stock import ledger


def confirm_many(numbers: Sequence[int], *, actor: Actor) -> ConfirmationBatch:
    """Open a confirmation for each order that is PENDING and has none; return at once.

    The worker takes their stock, oldest order first, also if it dies in between. Asking for the
    same orders again opens nothing more. Raises `Forbidden`.
    """
    actor.require("confirm")
    with transaction.atomic(durable=True):
        batch = ConfirmationBatch.objects.create(
            actor=actor.label, via=actor.via, selected=len(set(numbers))
        )
        pending = list(
            Order.objects.select_for_update()
            .filter(pk__in=set(numbers), status=OrderStatus.PENDING, hold_reason="")
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        opened = ledger.open_confirmations(
            pending, actor=actor.label, via=actor.via, batch_id=batch.pk
        )
        record_requests(opened, actor=actor.label, via=actor.via, batch_id=batch.pk)
    nudge()
    return batch


def settled(numbers: Sequence[int]) -> dict[int, OrderError | None]:
    """Return what became of the orders that were to be confirmed: why not, or None if they are.

    One whose stock is still settling is left out; one in review is not, for only a person can go on
    with it.
    """
    orders = {order.pk: order for order in Order.objects.filter(pk__in=numbers)}
    found: dict[int, OrderError | None] = {}
    rejected = []
    for number in numbers:
        order = orders.get(number)
        if order is None:
            found[number] = OrderNotFound()
        elif order.status == OrderStatus.CONFIRMED:
            found[number] = None
        elif order.status != OrderStatus.PENDING:
            found[number] = IllegalTransition(OrderStatus(order.status), OrderStatus.CONFIRMED)
        elif order.hold_reason:
            found[number] = OnHold(HoldReason(order.hold_reason))
        elif order.stock_state == StockState.REVIEW:
            found[number] = InReview()
        elif order.stock_state != StockState.SETTLING:
            rejected.append(number)
    ended = Confirmation.objects.filter(order__in=rejected).select_related("order")
    for confirmation in ended.order_by("order", "-pk").distinct("order"):
        found[confirmation.order_id] = failure_of(confirmation)
    return found
