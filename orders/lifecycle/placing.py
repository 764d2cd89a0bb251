"""Placing an order: PENDING, after the catalogue agreed to its prices and stock was enough."""

from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from orders import prices
from orders.actor import Actor
from orders.errors import InsufficientStock, TooManyOpenOrders
from orders.lifecycle import lines
from orders.lifecycle.drafts import OrderDraft
from orders.lifecycle.inserting import insert
from orders.queries import OrderDetails
from orders.stock import availability
from orderservice.postgresql import prepared

# In the words of the partial index: of a parameter the planner does not know that it is not empty.
_OPEN = """
    SELECT count(*) FROM (
        SELECT FROM orders_order
         WHERE placed_from = %(placed_from)s AND NOT placed_from = '' AND status = 'PENDING'
         LIMIT %(most)s) AS pending
"""


def place(
    draft: OrderDraft, *, actor: Actor, in_transaction: Callable[[OrderDetails], None] | None = None
) -> OrderDetails:
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
    write = partial(insert, draft, items, placed_from, price_source, actor)
    if in_transaction is None:
        return write()
    with transaction.atomic(durable=True):
        order = write()
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
    with prepared() as cursor:
        cursor.execute(_OPEN, {"placed_from": placed_from, "most": most})
        (pending,) = cursor.fetchone()
    if pending == most:
        raise TooManyOpenOrders(most)
