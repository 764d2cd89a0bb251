"""Reading orders: who may see which, and what belongs to one."""

from uuid import UUID

from django.db.models import QuerySet

from orders.actor import Actor
from orders.errors import OrderNotFound
from orders.models import Order, OrderEvent, OrderItem, OrderNote, StockBaseline, StockMovement
from orders.status import ConfirmationState, EventKind, MovementState


def whose(actor: Actor) -> int | None:
    """Return the key of the owner whose orders the actor is shown in lists; None for all orders.

    Staff are shown all, a customer their own, and a guest none: no owner has the key 0.
    """
    if actor.may("view"):
        return None
    return 0 if actor.user is None else actor.user.pk


def visible_to(actor: Actor) -> QuerySet[Order]:
    """Return the orders that the actor is shown in lists."""
    owner = whose(actor)
    return Order.objects.all() if owner is None else Order.objects.filter(owner=owner)


def named(text: str) -> UUID:
    """Return the id that a path names an order by; raise `OrderNotFound` for what is none."""
    try:
        public_id = UUID(text)
    except ValueError as exc:
        raise OrderNotFound from exc
    if str(public_id) != text.lower():  # UUID() takes braces, a prefix and missing hyphens
        raise OrderNotFound
    return public_id


def items(order: Order) -> list[OrderItem]:
    """Return the order's items as they were written, without a statement when it came with them."""
    return sorted(order.items.all(), key=lambda item: item.pk)


def events(number: int) -> QuerySet[OrderEvent]:
    """Return what happened to the order, oldest first."""
    return OrderEvent.objects.filter(order=number)


def latest_events(limit: int) -> QuerySet[OrderEvent]:
    """Return what happened last, whatever the order, the newest first."""
    return OrderEvent.objects.order_by("-pk")[:limit]


def changes(order: Order, *, since: int, most: int) -> list[OrderEvent]:
    """Return what happened to the order after a version of it, oldest first; the latest ``most``.

    Each event makes one version. The order is read together with its events, so that both are of
    one moment.
    """
    latest = OrderEvent.objects.filter(order=order).select_related("order").order_by("-pk")[:most]
    found = list(latest)
    return found[: max(0, found[0].order.version - since)][::-1] if found else []


def held_by(order: Order) -> OrderEvent | None:
    """Return the event that put the order on hold, when it is."""
    if not order.hold_reason:
        return None
    return OrderEvent.objects.filter(order=order, kind=EventKind.HELD).order_by("-pk").first()


def taken(order: Order) -> dict[str, int]:
    """Return the pieces of each product that the order has from stock, by the ledger's word."""
    movements = StockMovement.objects.filter(
        confirmation__order=order,
        confirmation__state=ConfirmationState.CONFIRMED,
        state=MovementState.APPLIED,
        reverses=None,
    )
    return {
        product_id: -delta
        for product_id, delta in movements.order_by("product_id").values_list("product_id", "delta")
    }


def notes(number: int) -> QuerySet[OrderNote]:
    """Return what staff wrote down about the order, with the authors, oldest first."""
    return OrderNote.objects.filter(order=number).select_related("author")


def in_review() -> QuerySet[StockMovement]:
    """Return the movements that wait for a person, with their calls, the longest waiting first."""
    waiting = StockMovement.objects.filter(state=MovementState.REVIEW)
    return (
        waiting.select_related("confirmation").prefetch_related("attempts").order_by("resolved_at")
    )


def accepted(limit: int) -> list[StockBaseline]:
    """Return the stock that people have accepted, the latest first."""
    return list(StockBaseline.objects.order_by("-pk")[:limit])
