"""Erasing: an order names its customer no more. What was ordered, and what came of it, stays."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Q

from orders import queries
from orders.actor import Actor
from orders.errors import NotFinished
from orders.lifecycle.records import Change, record_all
from orders.models import Order, OrderNote
from orders.status import OPEN, UNSETTLED_STOCK, EventKind

# What stands in the place of what named somebody: valid wherever such values are read again.
ERASED = {
    "customer_reference": "erased",
    "full_name": "Erased",
    "email": "erased@example.invalid",
    "address": "Erased",
    "city": "Erased",
    "zip_code": "0",
    "placed_from": "",
}
ERASED_NOTE = "Erased."

# Somebody must still send it out, or its stock may need a person to look.
UNFINISHED = Q(status__in=OPEN) | Q(stock_state__in=UNSETTLED_STOCK)


@dataclass(frozen=True, slots=True)
class Erased:
    """How many orders named their customer until now, and how many notes said anything."""

    orders: int
    notes: int


def erase(
    numbers: Collection[int],
    *,
    actor: Actor,
    in_transaction: Callable[[Sequence[int]], None] | None = None,
) -> Erased:
    """Make orders that are finished name nobody; return what there was to erase.

    Numbers, lines, totals, events and stock movements stay, and so does the id that the order's
    link has. Each order's history says that it was done; it never held a personal datum itself. The
    notes go, whoever wrote them, for they may tell anything. ``in_transaction`` gets the orders'
    numbers and runs in the same transaction, with all orders locked. An order that names nobody
    already is left as it is. A statement may take 5 minutes. Raises `Forbidden`, or `NotFinished`
    with nothing written while one is `UNFINISHED`.
    """
    actor.require_operator("erase")
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute(queries.PATIENT)
        locked = Order.objects.select_for_update(of=("self",)).filter(pk__in=numbers)
        orders = list(locked.order_by("pk"))
        keys = [order.pk for order in orders]
        open_ = Order.objects.filter(UNFINISHED, pk__in=keys).order_by("pk")
        if unfinished := list(open_.values_list("pk", flat=True)):
            raise NotFinished(unfinished)
        naming = [order for order in orders if _names_somebody(order)]
        if naming:
            Order.objects.filter(pk__in=[order.pk for order in naming]).update(**ERASED)
            record_all(
                Change(order, EventKind.ERASED, actor=actor.label, via=actor.via)
                for order in naming
            )
        telling = OrderNote.objects.filter(order__in=keys).exclude(text=ERASED_NOTE)
        notes = telling.update(text=ERASED_NOTE)
        if in_transaction is not None:
            in_transaction(keys)
    return Erased(len(naming), notes)


def _names_somebody(order: Order) -> bool:
    return any(getattr(order, name) != value for name, value in ERASED.items())
