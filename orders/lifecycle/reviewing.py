"""Resolving a review: a person says whether a movement of unknown outcome was applied."""

from uuid import UUID

import structlog
from django.db import transaction

from orders.actor import Actor
from orders.errors import NotInReview
from orders.lifecycle.nudging import nudge
from orders.lifecycle.records import lock_order, record
from orders.models import Confirmation, Order, OrderNote, StockMovement
from orders.status import EventKind, MovementState, StockState
from orders.stock import ledger, movements

log = structlog.get_logger(__name__)


def resolve(
    movement_id: UUID,
    *,
    applied: bool,
    note: str,
    actor: Actor,
    expected_fence: int | None = None,
) -> Order:
    """Write down the decision and let the confirmation go on from it.

    ``applied`` says that the inventory service did apply the movement; otherwise it is done again,
    or voided when the order no longer wants it. ``note`` says how one knows; it is kept with the
    order's notes, for it may name people, and the event names the decision. ``expected_fence`` is
    of the review that the caller has seen. Raises `Forbidden`, `NotInReview` when it is decided or
    another by now, and `ValueError` without a note.

    The log has the decision, too: a database that is restored from before has forgotten it.
    """
    actor.require("review")
    if not note.strip():
        raise ValueError("a review is resolved with a note that says how one knows")
    found = StockMovement.objects.filter(pk=movement_id).values_list(
        "confirmation_id", "confirmation__order_id", "product_id", "delta"
    )
    if not found:
        raise NotInReview
    confirmation_id, number, product_id, delta = found[0]
    to = MovementState.APPLIED if applied else MovementState.PLANNED
    with transaction.atomic(durable=True):
        order = lock_order(number)
        Confirmation.objects.select_for_update().get(pk=confirmation_id)
        try:
            movements.decide(movement_id, to, by=actor.label, expected_fence=expected_fence)
        except movements.LostMovement as exc:
            raise NotInReview from exc
        OrderNote.objects.create(order=order, author=actor.user, text=note.strip())
        record(
            order,
            EventKind.REVIEW_RESOLVED,
            actor=actor.label,
            via=actor.via,
            stock=StockState.SETTLING,
            data={"movement": str(movement_id), "applied": applied},
        )
        ledger.wake(confirmation_id)
    log.info(
        "stock_review_resolved",
        order=number,
        movement=str(movement_id),
        product=product_id,
        quantity=delta,
        to=to,
    )
    nudge()
    return order
