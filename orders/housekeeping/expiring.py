"""Cancelling what is PENDING for too long and nobody looks after."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import OperationalError, connection
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Greatest
from django.utils import timezone

from orders import lifecycle
from orders.actor import Actor
from orders.errors import OrderError
from orders.models import BatchEntry, Order, OrderEvent, OrderNote
from orders.status import UNSETTLED_STOCK, CancelReason, EventKind, OrderStatus

AT_ONCE = 500  # orders that are looked up by one statement


class LookedAfter(OrderError):
    """Something has happened to the order since it was found, or is about to."""

    code = "looked_after"


@dataclass(frozen=True, slots=True)
class Expiry:
    """An order that was too old, and why it was not cancelled, if it was not."""

    number: int
    why_not: OrderError | OperationalError | None = None


def expired(after: timedelta) -> QuerySet[Order]:
    """Return the orders that are PENDING for too long, the oldest first.

    Left out is what somebody looks after: what is on hold, what a batch is about to do something
    to, what has stock on its way, and what anything has happened to lately, a note included.
    """
    since = timezone.now() - after
    events = OrderEvent.objects.filter(order=OuterRef("pk")).exclude(kind=EventKind.PLACED)
    # A scalar is asked for order by order; a NOT EXISTS may become a join with everybody's history.
    latest = Subquery(events.order_by("-pk").values("at")[:1])
    notes = OrderNote.objects.filter(order=OuterRef("pk")).order_by().values("order")
    noted = Subquery(notes.annotate(at=Max("created_at")).values("at"))  # most have none
    waiting = BatchEntry.objects.filter(order=OuterRef("pk"), outcome="")
    return (
        Order.objects.filter(status=OrderStatus.PENDING, created_at__lt=since, hold_reason="")
        .exclude(stock_state__in=UNSETTLED_STOCK)
        .alias(touched_at=Greatest(latest, noted, "created_at"))  # PostgreSQL's passes over NULL
        .filter(~Exists(waiting), touched_at__lt=since)
        .order_by("created_at", "number")
    )


def expire(after: timedelta, *, actor: Actor) -> Iterator[Expiry]:
    """Cancel what has `expired`, an order a transaction; yield each.

    Whoever stops in between can begin anew. Any number may do this at once, and customers and staff
    may act meanwhile: once an order is locked it must be too old still, or it is left as it is. So
    nothing that was confirmed in time is given back, and nobody counts what another has cancelled.
    """
    beyond = Q()
    while found := list(expired(after).filter(beyond)[:AT_ONCE]):
        for order in found:
            yield Expiry(order.pk, _cancel(order, after, actor))
        beyond = _beyond(found[-1].created_at, found[-1].pk)


def _cancel(order: Order, after: timedelta, actor: Actor) -> OrderError | OperationalError | None:
    """Cancel an order, unless it is looked after; return why not.

    Raises `OperationalError` when the database is away, rather than somebody holding the order.
    """

    def recheck(locked: Order) -> None:
        if not expired(after).filter(pk=locked.pk).exists():
            raise LookedAfter

    try:
        lifecycle.cancel(order.pk, actor=actor, reason=CancelReason.EXPIRED, recheck=recheck)
    except OrderError as exc:
        return exc
    except OperationalError as exc:
        connection.close_if_unusable_or_obsolete()
        if connection.connection is None:
            raise
        return exc
    return None


def _beyond(created_at: datetime, number: int) -> Q:
    """Return what comes after an order, in the words of an index by age."""
    later = Q(created_at__gt=created_at) | Q(created_at=created_at, number__gt=number)
    return Q(created_at__gte=created_at) & later
