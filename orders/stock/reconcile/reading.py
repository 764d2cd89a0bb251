"""Reading the inventory's stock of many products, a few of them at a time, and its times."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from inventory_client import StockLevel
from inventory_client.errors import InventoryError
from orders.stock import inventory

READERS = 4  # reads at a time


def levels(products: Iterable[str]) -> Iterator[StockLevel | InventoryError]:
    """Yield the stock of each product, in their order, or why it can't be told."""
    with ThreadPoolExecutor(READERS) as readers:
        yield from readers.map(_level, products)


def _level(product: str) -> StockLevel | InventoryError:
    try:
        return inventory.client().read(product)
    except InventoryError as exc:
        return exc


def moment(text: str | None) -> datetime | None:
    """Return when that was; None when it can't be told. Without a zone it is UTC."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
