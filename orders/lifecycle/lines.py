"""An order's lines before they are rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from orders.models import Order, OrderItem


@dataclass(frozen=True, slots=True)
class Item:
    """Pieces of one product at one unit price, in the order's currency."""

    product_id: str
    quantity: int
    unit_price: Decimal

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product_id} at {self.unit_price}"


def of(rows: Iterable[OrderItem]) -> list[Item]:
    """Return the lines that an order's rows stand for."""
    return [Item(row.product_id, row.quantity, row.unit_price) for row in rows]


def merge(items: Sequence[Item]) -> list[Item]:
    """Merge what has the same product and price; different prices stay items of their own."""
    quantities: dict[tuple[str, Decimal], int] = {}
    for item in items:
        key = (item.product_id, item.unit_price)
        quantities[key] = quantities.get(key, 0) + item.quantity
    return [Item(product, quantity, price) for (product, price), quantity in quantities.items()]


def needs(items: Iterable[Item | OrderItem]) -> dict[str, int]:
    """Return how many pieces of each product the items take together, whatever their prices."""
    quantities: dict[str, int] = {}
    for item in items:
        quantities[item.product_id] = quantities.get(item.product_id, 0) + item.quantity
    return quantities


def total(items: Sequence[Item]) -> Decimal:
    """Return what the items cost together, in the order's currency."""
    return sum((item.quantity * item.unit_price for item in items), Decimal(0))


def write(order: Order, items: Sequence[Item]) -> None:
    """Write merged items of an order that has none."""
    OrderItem.objects.bulk_create(
        OrderItem(
            order=order,
            product_id=item.product_id,
            quantity=item.quantity,
            unit_price=item.unit_price,
        )
        for item in items
    )
