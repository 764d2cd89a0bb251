"""Whether the inventory has the stock that the ledger expects, product by product (I3).

The ledger's last word on a product is the stock that its last applied movement left, read under the
product's mutex. Only changes that are not ours can come after it. A product may move while we look,
so whatever disagrees is looked up in the ledger again, and counts only when nothing has moved.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from inventory_client.errors import InventoryError
from orders.stock import inventory
from orders.stock.reconcile.findings import Finding, Severity

ROUNDS = 3  # looks at a product that moves, or can't be read, before it is left out
READERS = 4  # reads of the inventory at a time
_PATIENCE = "SET LOCAL statement_timeout = '5min'"  # the ledger is read as a whole

_MOVED = """
SELECT DISTINCT product_id FROM orders_stockmovement
 WHERE state = 'applied' AND (%(all)s OR product_id = ANY(%(products)s)) ORDER BY product_id
"""

# In the order of ``sent_at``: a person may decide much later that a movement was applied. One that
# was decided without a reading of the stock after it has only its delta to say.
_POSITIONS = """
WITH last AS (
  SELECT DISTINCT ON (product_id) product_id, id, confirmation_id, after_quantity, sent_at
    FROM orders_stockmovement
   WHERE product_id = ANY(%(products)s) AND state = 'applied' AND after_quantity IS NOT NULL
   ORDER BY product_id, sent_at DESC, id)
SELECT l.product_id, l.id::text, c.order_id, l.sent_at,
       l.after_quantity + coalesce(sum(m.delta) FILTER (WHERE m.state = 'applied'), 0)::bigint,
       coalesce(bool_or(m.state <> 'applied' OR NOT m.exclusive), false)
  FROM last l
  JOIN orders_confirmation c ON c.id = l.confirmation_id
  LEFT JOIN orders_stockmovement m
    ON m.product_id = l.product_id
   AND (m.state IN ('claimed', 'sent', 'unknown', 'review')
        OR (m.state = 'applied'
            AND (coalesce(m.sent_at, m.resolved_at) > l.sent_at
                 OR m.id = l.id AND NOT m.exclusive)))
 GROUP BY l.product_id, l.id, c.order_id, l.sent_at, l.after_quantity
 ORDER BY l.product_id
"""


@dataclass(frozen=True, slots=True)
class _Position:
    """The ledger's word on a product; equal as long as none of our movements touches it."""

    product_id: str
    movement_id: str
    order: int
    since: datetime
    expected: int
    unclear: bool  # in flight, in review, or moved without the mutex: nothing can be expected


def moved_products(among: Sequence[str]) -> list[str]:
    """Return the products that the ledger has moved, of some or, when none are named, of all."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_PATIENCE)
        cursor.execute(_MOVED, {"all": not among, "products": list(among)})
        return [product for (product,) in cursor.fetchall()]


def compare(products: Sequence[str]) -> Iterator[Finding]:
    """Compare the ledger's expectation for some products with the inventory's stock."""
    left: Sequence[str] = products
    stocks: dict[str, int | str] = {}
    for _ in range(ROUNDS):
        before = _positions(left)
        quiet = [product for product, position in before.items() if not position.unclear]
        stocks = _stocks(quiet)
        agreed = {product for product in quiet if stocks[product] == before[product].expected}
        now = _positions([product for product in before if product not in agreed])
        left = []
        for product, position in now.items():
            if position != before[product] or position.unclear or _unread(stocks[product]):
                left.append(product)
            else:
                yield _drift(position, stocks[product])
        if not left or (quiet and all(_unread(stocks[product]) for product in quiet)):
            break
    yield from _not_compared(left, stocks)


def _positions(products: Sequence[str]) -> dict[str, _Position]:
    if not products:
        return {}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_PATIENCE)
        cursor.execute(_POSITIONS, {"products": list(products)})
        return {row[0]: _Position(*row) for row in cursor.fetchall()}


GONE = "unknown_product"


def _stocks(products: Iterable[str]) -> dict[str, int | str]:
    """Return the inventory's stock of each product, or the code of why there is none."""
    with ThreadPoolExecutor(READERS) as readers:
        return dict(zip(products, readers.map(_stock, products), strict=True))


def _stock(product: str) -> int | str:
    try:
        return inventory.client().read(product).quantity
    except InventoryError as exc:
        return exc.code


def _unread(stock: int | str) -> bool:
    return isinstance(stock, str) and stock != GONE


def _drift(position: _Position, stock: int | str) -> Finding:
    """Without other writers a drift breaks I3; with them it is what a restock looks like."""
    since = position.since.isoformat(timespec="seconds")
    look = (
        f"look in the inventory's log for changes of {position.product_id} since {since}"
        " without 'movement:' in their reason"
    )
    sole = settings.INVENTORY_SOLE_WRITER
    if stock == GONE:
        has = "knows no such product"
    else:
        has = f"has {stock} ({int(stock) - position.expected:+d})"
    return Finding(
        "I3",
        Severity.VIOLATION if sole else Severity.NOTE,
        None,
        position.product_id,
        f"order #{position.order} left {position.expected} in stock, and the inventory {has}",
        f"{look}; correct the stock there if nobody made them"
        if sole
        else f"nothing, if somebody restocked; else {look}",
    )


def _not_compared(products: Sequence[str], stocks: dict[str, int | str]) -> Iterator[Finding]:
    """Name what could not be compared; those that could not be read are counted by reason."""
    severity = Severity.UNSETTLED if settings.INVENTORY_SOLE_WRITER else Severity.NOTE
    unread: dict[str, list[str]] = {}
    for product in products:
        stock = stocks.get(product)
        if isinstance(stock, str) and _unread(stock):
            unread.setdefault(stock, []).append(product)
        else:
            yield Finding(
                "I3",
                severity,
                None,
                product,
                "not compared with the inventory: it is moving, or waits for a review",
                "run this again when it is quiet",
            )
    for code, names in unread.items():
        yield Finding(
            "I3",
            severity,
            None,
            names[0] if len(names) == 1 else None,
            f"not compared, the inventory can't be read ({code}): {len(names)} products",
            "see manage.py check_inventory, then run this again",
        )
