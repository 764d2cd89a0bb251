"""How the API shows an order and what happened to it."""

from datetime import UTC, datetime
from decimal import Decimal

from orders import queries
from orders.actor import Actor
from orders.models import OrderEvent, OrderNote
from orders.queries import ItemDetails, OrderDetails
from orders.status import StockState

Shown = dict[str, object]


def order(order: OrderDetails) -> Shown:
    """Show an order."""
    return {
        "id": str(order.public_id),
        "number": str(order.number),
        "userId": order.user_id,
        "fullName": order.full_name,
        "email": order.email,
        "address": order.address,
        "city": order.city,
        "zipCode": order.zip_code,
        "status": order.status,
        "stock": stock(order),
        "currency": order.currency,
        "total": money(order.total),
        "createdAt": moment(order.created_at),
        "updatedAt": moment(order.updated_at),
        "items": [item(each) for each in order.items],
    }


def item(item: ItemDetails) -> Shown:
    """Show one product at one price."""
    return {
        "id": str(item.pk),
        "productId": item.product_id,
        "quantity": item.quantity,
        "price": money(item.unit_price),
        "subtotal": money(item.subtotal),
    }


def stock(order: OrderDetails) -> Shown:
    """Show how the order stands with its stock; when it is short, of which products."""
    shown: Shown = {"state": order.stock_state, "since": moment(order.stock_since)}
    if order.stock_state == StockState.SHORT:
        shown["items"] = [_shortage(short) for short in order.shortages]
    return shown


def event(event: OrderEvent, viewer: Actor) -> Shown:
    """Show something that happened; by whose account, and the evidence, to staff only."""
    is_staff = viewer.may("view")
    own = None if viewer.user is None else viewer.label
    data: Shown = dict(event.data if is_staff else queries.for_customers(event))
    if "items" in data:
        data["items"] = [_shortage(short) for short in event.data["items"]]
    return {
        "id": str(event.pk),
        "at": moment(event.at),
        "kind": event.kind,
        "fromStatus": event.from_status or None,
        "toStatus": event.to_status or None,
        "actor": event.actor if is_staff else queries.role_of_actor(event, own=own),
        "via": event.via,
        "data": data,
    }


def note(note: OrderNote) -> Shown:
    """Show what staff wrote down."""
    return {
        "id": str(note.pk),
        "at": moment(note.created_at),
        "author": None if note.author is None else note.author.get_username(),
        "text": note.text,
    }


def etag(order: OrderDetails) -> str:
    """Return the tag of what is shown; the version grows with each change of the order."""
    return f'"{order.number}-{order.version}"'


def money(amount: Decimal) -> str:
    """Return an amount with its two decimals."""
    return f"{amount:.2f}"


def moment(at: datetime) -> str:
    """Return a time in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shortage(short: dict[str, object]) -> Shown:
    return {
        "productId": short["product_id"],
        "requested": short["requested"],
        "available": short["available"],
    }
