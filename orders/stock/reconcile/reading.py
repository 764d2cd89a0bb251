"""Reading the inventory's stock of many products, a few of them at a time."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

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
