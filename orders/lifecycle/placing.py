"""Placing an order: PENDING, after the inventory service said that there is enough."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from orders.actor import Actor
from orders.errors import InsufficientStock
from orders.lifecycle import lines
from orders.lifecycle.lines import Item
from orders.models import Order, OrderEvent, User
from orders.status import EventKind, OrderStatus
from orders.stock import availability


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """What a customer asks for, validated in shape; strings are trimmed and not empty."""

    full_name: str
    email: str
    address: str
    city: str
    zip_code: str
    items: Sequence[Item]
    customer_reference: str = ""
    owner: User | None = None


def place(
    draft: OrderDraft, *, actor: Actor, in_transaction: Callable[[Order], None] | None = None
) -> Order:
    """Check the stock of all products at once, then write the order, its items and its event.

    ``in_transaction`` runs in the order's own transaction, for what must exist exactly when the
    order does. Raises `InsufficientStock` or `InventoryUnavailable`, with nothing written.
    """
    items = lines.merge(draft.items)
    shortages = availability.shortages(lines.needs(items))
    if shortages:
        raise InsufficientStock(shortages)
    with transaction.atomic(durable=True):
        order = Order.objects.create(
            owner=draft.owner,
            customer_reference=draft.customer_reference or f"guest-{uuid.uuid4().hex[:12]}",
            full_name=draft.full_name,
            email=draft.email,
            address=draft.address,
            city=draft.city,
            zip_code=draft.zip_code,
            currency=settings.CURRENCY,
            total=lines.total(items),
        )
        lines.write(order, items)
        OrderEvent.objects.create(
            order=order,
            kind=EventKind.PLACED,
            to_status=OrderStatus.PENDING,
            actor=actor.label,
            via=actor.via,
        )
        if in_transaction is not None:
            in_transaction(order)
    return order
