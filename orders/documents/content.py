"""What a document says of an order, whatever it will look like."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from orders.models import Order
from orders.status import OrderStatus


@dataclass(frozen=True, slots=True)
class Shop:
    """Whose documents they are; the address line by line."""

    name: str
    address: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """Pieces of one product at one price."""

    product_id: str
    quantity: int
    unit_price: Decimal

    @property
    def amount(self) -> Decimal:
        """Quantity times unit price, in the order's currency."""
        return self.quantity * self.unit_price


@dataclass(frozen=True, slots=True)
class Sheet:
    """An order as its documents need it."""

    number: int
    placed: datetime
    status: OrderStatus
    on_hold: bool
    recipient: Sequence[str]
    email: str
    currency: str
    total: Decimal
    lines: Sequence[Line]

    @property
    def mark(self) -> str:
        """What must not be overlooked before this leaves the house; empty when all is well."""
        if self.status == OrderStatus.PENDING:
            return "ON HOLD" if self.on_hold else "NOT CONFIRMED"
        return "CANCELLED" if self.status == OrderStatus.CANCELLED else ""


def sheet_of(order: Order) -> Sheet:
    """Return what an order's documents say; its items are best prefetched."""
    return Sheet(
        number=order.number,
        placed=order.created_at,
        status=OrderStatus(order.status),
        on_hold=bool(order.hold_reason),
        recipient=(order.full_name, order.address, f"{order.zip_code} {order.city}"),
        email=order.email,
        currency=order.currency,
        total=order.total,
        lines=[Line(item.product_id, item.quantity, item.unit_price) for item in order.items.all()],
    )
