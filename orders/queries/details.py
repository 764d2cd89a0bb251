"""Orders as they are shown, each with its items: one statement, however many.

The fast paths of the API rest on this module, on ``orders.queries.newest``, which shares its
columns, and on ``orders.lifecycle.inserting``: they go past the ORM, whose objects cost several
times what the database does. They know the tables' columns; everything else is the ORM's.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from orders.actor import Actor
from orders.errors import OrderNotFound
from orders.status import ConfirmationState, StockState
from orderservice.postgresql import prepared


class ItemDetails(NamedTuple):
    """One product at one price; ``unit_price`` in the order's currency."""

    pk: int
    product_id: str
    quantity: int
    unit_price: Decimal

    @property
    def subtotal(self) -> Decimal:
        """Quantity times unit price, in the order's currency."""
        return self.quantity * self.unit_price


class OrderDetails(NamedTuple):
    """An order with all that is shown of it, as `orders.models.Order` names it.

    ``user_id`` is the public id of the owner, or else the label that the order was placed with.
    ``shortages`` are those of its last failed confirmation, when its stock is short:
    ``{"product_id", "requested", "available"}`` each.
    """

    number: int
    public_id: UUID
    owner_id: int | None
    user_id: str
    full_name: str
    email: str
    address: str
    city: str
    zip_code: str
    status: str
    stock_state: str
    stock_since: datetime
    currency: str
    total: Decimal
    version: int
    created_at: datetime
    updated_at: datetime
    items: Sequence[ItemDetails]
    shortages: Sequence[dict[str, Any]]

    @property
    def pk(self) -> int:
        """The order's key."""
        return self.number


COLUMNS = f"""
    o.number, o.public_id, o.owner_id,
    COALESCE(owner.public_id::text, o.customer_reference),
    o.full_name, o.email, o.address, o.city, o.zip_code,
    o.status, o.stock_state, o.stock_since, o.currency, o.total, o.version,
    o.created_at, o.updated_at,
    (SELECT json_agg(json_build_array(i.id, i.product_id, i.quantity, i.unit_price::text)
                     ORDER BY i.id)
       FROM orders_orderitem i WHERE i.order_id = o.number),
    CASE o.stock_state WHEN '{StockState.SHORT}' THEN
        (SELECT c.shortages::json FROM orders_confirmation c
          WHERE c.order_id = o.number AND c.state = '{ConfirmationState.REJECTED}'
          ORDER BY c.id DESC LIMIT 1)
    END
"""
_FROM = "FROM orders_order o LEFT JOIN orders_user owner ON owner.id = o.owner_id"
_BY_PUBLIC_ID = f"SELECT {COLUMNS} {_FROM} WHERE o.public_id = %s"
BY_NUMBER = f"SELECT {COLUMNS} {_FROM} WHERE o.number = %s"
_BY_NUMBERS = f"SELECT {COLUMNS} {_FROM} WHERE o.number = ANY(%s)"


def find(public_id: UUID, *, actor: Actor) -> OrderDetails:
    """Return an order by the id that its customer holds; raise `OrderNotFound`.

    Staff may know of every order, a customer of their own. Who names one without an owner by its
    public id may know of it, too: there the id is the credential.
    """
    mine = None if actor.user is None else actor.user.pk
    sees_all = actor.may("view")  # asked first: what is another's must take as long as nothing
    order = _one(_BY_PUBLIC_ID, public_id)
    if order.owner_id not in (None, mine) and not sees_all:
        raise OrderNotFound
    return order


def load(number: int) -> OrderDetails:
    """Return an order as it is now; for who has found or made it already."""
    return _one(BY_NUMBER, number)


def load_all(numbers: Iterable[int]) -> dict[int, OrderDetails]:
    """Return those of the orders that there are, by number."""
    with prepared() as cursor:
        cursor.execute(_BY_NUMBERS, [list(numbers)])
        return {row[0]: made(row) for row in cursor.fetchall()}


def made(row: Sequence[Any]) -> OrderDetails:
    """Return what a row of `COLUMNS` stands for."""
    *columns, items, shortages = row
    return OrderDetails._make([*columns, read_items(items), shortages or ()])


def read_items(rows: Iterable[Sequence[Any]] | None) -> list[ItemDetails]:
    """Return the items of a JSON array of key, product, pieces and price."""
    return [
        ItemDetails(key, product, pieces, Decimal(price))
        for key, product, pieces, price in rows or ()
    ]


def _one(statement: str, key: UUID | int) -> OrderDetails:
    with prepared() as cursor:
        cursor.execute(statement, [key])
        row = cursor.fetchone()
    if row is None:
        raise OrderNotFound
    return made(row)
