"""Placing an order: PENDING, after the inventory service said that there is enough."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from orders.actor import Actor
from orders.errors import InsufficientStock
from orders.models import Order, OrderEvent, OrderItem, User
from orders.status import EventKind, OrderStatus
from orders.stock import availability


@dataclass(frozen=True, slots=True)
class Item:
    """Pieces of one product at one unit price, in the order's currency."""

    product_id: str
    quantity: int
    unit_price: Decimal


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
    items = merge(draft.items)
    shortages = availability.shortages(needs(items))
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
            total=sum((item.quantity * item.unit_price for item in items), Decimal(0)),
        )
        OrderItem.objects.bulk_create(
            OrderItem(
                order=order,
                product_id=item.product_id,
                quantity=item.quantity,
                unit_price=item.unit_price,
            )
            for item in items
        )
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


def merge(items: Sequence[Item]) -> list[Item]:
    """Merge what has the same product and price; different prices stay items of their own."""
    quantities: dict[tuple[str, Decimal], int] = {}
    for item in items:
        key = (item.product_id, item.unit_price)
        quantities[key] = quantities.get(key, 0) + item.quantity
    return [Item(product, quantity, price) for (product, price), quantity in quantities.items()]


def needs(items: Sequence[Item]) -> dict[str, int]:
    """Return how many pieces of each product the items take together, whatever their prices."""
    quantities: dict[str, int] = {}
    for item in items:
        quantities[item.product_id] = quantities.get(item.product_id, 0) + item.quantity
    return quantities
