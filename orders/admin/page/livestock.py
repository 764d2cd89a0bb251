"""An order's lines, and what there is in stock of each right now."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from orders import queries
from orders.admin import actions, words
from orders.errors import InventoryRefused, InventoryUnavailable
from orders.lifecycle import lines
from orders.models import Order, OrderItem
from orders.stock import availability


@dataclass(frozen=True, slots=True)
class Line:
    """An item with its money in words, and what it needs of its product beside what there is.

    ``in_stock`` is None while nobody has asked.
    """

    product_id: str
    quantity: int
    unit_price: str
    subtotal: str
    needed: int
    in_stock: int | None = None

    @property
    def need(self) -> str:
        """Return the pieces that the whole order needs of the product."""
        shared = " with its other lines" if self.needed > self.quantity else ""
        return f"needs {self.needed:,}{shared}"

    @property
    def supply(self) -> str:
        """Return what there is; the service counts a product that it does not know as 0."""
        if self.in_stock is None:
            return ""
        return f"{self.in_stock:,} in stock" if self.in_stock else "none in stock, or unknown there"

    @property
    def is_short(self) -> bool:
        """Tell whether there is too little."""
        return self.in_stock is not None and self.in_stock < self.needed


def context(order: Order) -> dict[str, Any]:
    """Return the lines without asking anybody; ``live`` tells whether stock matters to them."""
    return _shown(order, queries.items(order))


def asked(order: Order) -> dict[str, Any]:
    """Return the lines with what the inventory service says of them, in one call.

    When it can't say, ``failure`` tells so and the lines are there all the same.
    """
    items = queries.items(order)
    shown = _shown(order, items)
    if not shown["live"]:
        return shown
    try:
        levels = availability.levels(lines.needs(items))
    except InventoryUnavailable:
        return shown | {"failure": "The inventory service can't be asked right now."}
    except InventoryRefused:
        return shown | {"failure": "The inventory service refused to say what is in stock."}
    return shown | {"lines": _lines(items, order.currency, levels), "asked_at": timezone.now()}


def _shown(order: Order, items: list[OrderItem]) -> dict[str, Any]:
    return {
        "order": order,
        "total": words.money(order.total, order.currency),
        "lines": _lines(items, order.currency, {}),
        "live": actions.is_at_rest(order) and bool(items),
    }


def _lines(items: list[OrderItem], currency: str, levels: dict[str, int]) -> list[Line]:
    needed = lines.needs(items)
    return [
        Line(
            item.product_id,
            item.quantity,
            words.money(item.unit_price, currency),
            words.money(item.subtotal, currency),
            needed[item.product_id],
            levels.get(item.product_id),
        )
        for item in items
    ]
