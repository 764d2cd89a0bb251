"""Reading orders: who may see which, and all that an answer needs, in a fixed number of statements.

One order, or a page of any size, takes three statements: the orders with their owners, the items,
and the last failed confirmations.
"""

from uuid import UUID

from django.db.models import Prefetch, QuerySet

from orders.actor import Actor
from orders.errors import OrderNotFound
from orders.models import Confirmation, Order, OrderEvent, OrderItem, OrderNote, StockMovement
from orders.status import ConfirmationState, EventKind, MovementState


def visible_to(actor: Actor, *, holding_id: bool = False) -> QuerySet[Order]:
    """Return the orders that the actor may know of: staff all, a customer their own.

    ``holding_id`` adds those without an owner, for an actor who names one by its public id: there
    the id is the credential.
    """
    if actor.may("view"):
        return Order.objects.all()
    visible = Order.objects.none()
    if actor.user is not None:
        visible = Order.objects.filter(owner=actor.user)
    if holding_id:
        visible |= Order.objects.filter(owner=None)
    return visible


def with_details(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Let the orders come with their owners, items and last failed confirmations."""
    failed = Confirmation.objects.filter(state=ConfirmationState.REJECTED)
    return orders.select_related("owner").prefetch_related(
        Prefetch("items", OrderItem.objects.order_by("pk")),
        Prefetch("confirmations", failed.order_by("order", "-pk").distinct("order")),
    )


def named(text: str) -> UUID:
    """Return the id that a path names an order by; raise `OrderNotFound` for what is none."""
    try:
        public_id = UUID(text)
    except ValueError as exc:
        raise OrderNotFound from exc
    if str(public_id) != text.lower():  # UUID() takes braces, a prefix and missing hyphens
        raise OrderNotFound
    return public_id


def find(public_id: UUID, *, actor: Actor) -> Order:
    """Return an order by the id that its customer holds; raise `OrderNotFound`.

    One that the actor may not know of is not found either.
    """
    try:
        return with_details(visible_to(actor, holding_id=True)).get(public_id=public_id)
    except Order.DoesNotExist as exc:
        raise OrderNotFound from exc


def load(number: int) -> Order:
    """Return an order as it is now, with its details; for who has found or made it already."""
    return with_details(Order.objects.all()).get(pk=number)


def items(order: Order) -> list[OrderItem]:
    """Return the order's items as they were written, without a statement when it came with them."""
    return sorted(order.items.all(), key=lambda item: item.pk)


def events(order: Order) -> QuerySet[OrderEvent]:
    """Return what happened to the order, oldest first."""
    return OrderEvent.objects.filter(order=order)


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


def notes(order: Order) -> QuerySet[OrderNote]:
    """Return what staff wrote down about the order, with the authors, oldest first."""
    return OrderNote.objects.filter(order=order).select_related("author")


def in_review() -> QuerySet[StockMovement]:
    """Return the movements that wait for a person, with their calls, the longest waiting first."""
    waiting = StockMovement.objects.filter(state=MovementState.REVIEW)
    return (
        waiting.select_related("confirmation").prefetch_related("attempts").order_by("resolved_at")
    )
