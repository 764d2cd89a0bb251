"""Writing a new order: with its lines and its first event, in one statement.

It is what a shop's day is full of, and the ORM's objects would cost several times what the
database does. What happens to an order later is `orders.lifecycle.records`'s to write.
"""

import uuid
from collections.abc import Sequence

from django.conf import settings

from orders.actor import Actor
from orders.lifecycle import lines
from orders.lifecycle.drafts import OrderDraft
from orders.lifecycle.lines import Item
from orders.queries import ItemDetails, OrderDetails
from orders.status import EventKind, OrderStatus, PriceSource, StockState
from orderservice.postgresql import prepared

# What is not named here has the default that the tables give it. Keys of lines grow with them.
_INSERT = """
    WITH placed AS (
        INSERT INTO orders_order (
            public_id, owner_id, customer_reference, full_name, email, address, city, zip_code,
            currency, total, price_source, placed_from, status, stock_state, version)
        VALUES (
            %(public_id)s, %(owner)s, %(reference)s, %(full_name)s, %(email)s, %(address)s,
            %(city)s, %(zip_code)s, %(currency)s, %(total)s, %(price_source)s, %(placed_from)s,
            %(status)s, %(stock_state)s, 1)
        RETURNING number, created_at
    ), line AS (
        INSERT INTO orders_orderitem (order_id, product_id, quantity, unit_price)
        SELECT number, product_id, quantity, unit_price
          FROM placed, unnest(%(products)s::text[], %(quantities)s::int[], %(prices)s::numeric[])
               WITH ORDINALITY AS sent (product_id, quantity, unit_price, place)
         ORDER BY place
        RETURNING id
    ), event AS (
        INSERT INTO orders_orderevent (order_id, kind, from_status, to_status, actor, via, data)
        SELECT number, %(placed)s, '', %(status)s, %(actor)s, %(via)s, '{}' FROM placed
    )
    SELECT number, created_at, (SELECT array_agg(id ORDER BY id) FROM line) FROM placed
"""


def insert(
    draft: OrderDraft,
    items: Sequence[Item],
    placed_from: str,
    price_source: PriceSource,
    actor: Actor,
) -> OrderDetails:
    """Write an order of merged items, at once or with the caller's transaction; return it."""
    public_id, total = uuid.uuid4(), lines.total(items)
    owner = None if draft.owner is None else draft.owner.pk
    reference = draft.customer_reference or f"guest-{uuid.uuid4().hex[:12]}"
    parameters = {
        "public_id": public_id,
        "owner": owner,
        "reference": reference,
        "full_name": draft.full_name,
        "email": draft.email,
        "address": draft.address,
        "city": draft.city,
        "zip_code": draft.zip_code,
        "currency": settings.CURRENCY,
        "total": total,
        "price_source": price_source,
        "placed_from": placed_from,
        "status": OrderStatus.PENDING,
        "stock_state": StockState.CLEAR,
        "products": [item.product_id for item in items],
        "quantities": [item.quantity for item in items],
        "prices": [item.unit_price for item in items],
        "placed": EventKind.PLACED,
        "actor": actor.label,
        "via": actor.via,
    }
    with prepared() as cursor:
        cursor.execute(_INSERT, parameters)
        number, now, keys = cursor.fetchone()
    return OrderDetails(
        number=number,
        public_id=public_id,
        owner_id=owner,
        user_id=reference if draft.owner is None else str(draft.owner.public_id),
        full_name=draft.full_name,
        email=draft.email,
        address=draft.address,
        city=draft.city,
        zip_code=draft.zip_code,
        status=OrderStatus.PENDING,
        stock_state=StockState.CLEAR,
        stock_since=now,
        currency=settings.CURRENCY,
        total=total,
        version=1,
        created_at=now,
        updated_at=now,
        items=[
            ItemDetails(key, item.product_id, item.quantity, item.unit_price)
            for key, item in zip(keys, items, strict=True)
        ],
        shortages=(),
    )
