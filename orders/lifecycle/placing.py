"""Placing an order: PENDING, after the catalogue agreed to its prices and stock was enough."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from orders import prices
from orders.actor import Actor
from orders.errors import InsufficientStock, TooManyOpenOrders
from orders.lifecycle import lines
from orders.lifecycle.lines import Item
from orders.models import Order, OrderEvent, User
from orders.status import EventKind, OrderStatus
from orders.stock import availability


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """What a customer asks for, validated in shape; strings are trimmed and not empty.

    ``guest_address`` is where a guest's request came from. It is kept as a keyed hash alone.
    """

    full_name: str
    email: str
    address: str
    city: str
    zip_code: str
    items: Sequence[Item]
    customer_reference: str = ""
    owner: User | None = None
    guest_address: str = ""


def place(
    draft: OrderDraft, *, actor: Actor, in_transaction: Callable[[Order], None] | None = None
) -> Order:
    """Check the prices and the stock of all products, then write order, items and event.

    Prices are compared where there is a catalogue, whoever places; the order says whether they
    were. ``in_transaction`` runs in the order's own transaction, for what must exist exactly when
    the order does. Raises `TooManyOpenOrders`, `PriceChanged`, `CatalogueUnavailable`,
    `InsufficientStock` or `InventoryUnavailable`, with nothing written.
    """
    placed_from = _place_of(draft.guest_address)
    _require_few_open(placed_from)
    items = lines.merge(draft.items)
    price_source = prices.compare([(item.product_id, item.unit_price) for item in items])
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
            price_source=price_source,
            placed_from=placed_from,
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


def _place_of(address: str) -> str:
    """Return what is kept of a guest's address: enough to count by, and nothing to read."""
    if not address:
        return ""
    return salted_hmac("orders.lifecycle.placing", address, algorithm="sha256").hexdigest()[:32]


def _require_few_open(placed_from: str) -> None:
    """Raise `TooManyOpenOrders` for a guest's address that has as many as it may.

    Requests at once are each looked at before the first is written: they may exceed the cap by as
    many as run at once, which the rate of creations bounds. A lock would make all guests behind one
    proxy take turns.
    """
    most = settings.API_THROTTLES.open_orders
    if not placed_from or most is None:
        return
    pending = Order.objects.filter(placed_from=placed_from, status=OrderStatus.PENDING)
    if len(pending.values_list("pk", flat=True)[:most]) == most:
        raise TooManyOpenOrders(most)
