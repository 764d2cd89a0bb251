"""Whether the inventory has the stock that the ledger expects, product by product (I3).

Only changes that are not ours can come after the ledger's last word on a product. A product may
move while we look, so whatever disagrees is looked up in the ledger again, and counts only when
nothing has moved.
"""

import shlex
from collections.abc import Iterator, Sequence

from django.conf import settings
from django.db import connection, transaction

from inventory_client import StockLevel
from inventory_client.errors import UNKNOWN_PRODUCT
from orders.stock.reconcile.findings import Finding, Severity
from orders.stock.reconcile.positions import PATIENCE, Position, positions
from orders.stock.reconcile.reading import levels

ROUNDS = 3  # looks at a product that moves, or can't be read, before it is left out

_MOVED = """
SELECT product_id FROM orders_stockmovement
 WHERE state = 'applied' AND (%(all)s OR product_id = ANY(%(products)s))
UNION
SELECT product_id FROM orders_stockbaseline WHERE %(all)s OR product_id = ANY(%(products)s)
 ORDER BY product_id
"""


def moved_products(among: Sequence[str]) -> list[str]:
    """Return the products that the ledger has a word on, of some, or of all when none are named."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(PATIENCE)
        cursor.execute(_MOVED, {"all": not among, "products": list(among)})
        return [product for (product,) in cursor.fetchall()]


def compare(products: Sequence[str]) -> Iterator[Finding]:
    """Compare the ledger's expectation for some products with the inventory's stock."""
    left: Sequence[str] = products
    stocks: dict[str, int | str] = {}
    for _ in range(ROUNDS):
        before = positions(left)
        quiet = [product for product, position in before.items() if not position.unclear]
        stocks = _stocks(quiet)
        agreed = {product for product in quiet if _has(stocks[product]) == before[product].expected}
        now = positions([product for product in before if product not in agreed])
        left = []
        for product, position in now.items():
            if position != before[product] or position.unclear or _unread(stocks[product]):
                left.append(product)
            else:
                yield _drift(position, stocks[product])
        if not left or (quiet and all(_unread(stocks[product]) for product in quiet)):
            break
    yield from _not_compared(left, stocks)


def _stocks(products: Sequence[str]) -> dict[str, int | str]:
    """Return the inventory's stock of each product, or the code of why there is none."""
    return {
        product: level.quantity if isinstance(level, StockLevel) else level.code
        for product, level in zip(products, levels(products), strict=True)
    }


def _has(stock: int | str) -> int | None:
    """Return a stock in pieces: what is gone has none; None when it can't be told."""
    if isinstance(stock, str):
        return 0 if stock == UNKNOWN_PRODUCT else None
    return stock


def _unread(stock: int | str) -> bool:
    return isinstance(stock, str) and stock != UNKNOWN_PRODUCT


def _drift(position: Position, stock: int | str) -> Finding:
    """Without other writers a drift breaks I3; with them it is what a restock looks like."""
    since = position.since.isoformat(timespec="seconds")
    look = (
        f"look in the inventory's log for changes of {position.product_id} since {since}"
        " without 'movement:' in their reason, or, after a restore, of orders since the backup"
    )
    sole = settings.INVENTORY_SOLE_WRITER
    pieces = _has(stock) or 0
    if stock == UNKNOWN_PRODUCT:
        has = "knows no such product"
    else:
        has = f"has {pieces} ({pieces - position.expected:+d})"
    product = shlex.quote(position.product_id)
    said = (
        f"order #{position.order} left {position.expected} in stock"
        if position.order is not None
        else f"{position.expected} were accepted or have moved since"
    )
    return Finding(
        "I3",
        Severity.VIOLATION if sole else Severity.NOTE,
        None,
        position.product_id,
        f"{said}, and the inventory {has}",
        f"{look}; undo there what must not be, or accept it: manage.py accept_stock {product}"
        f" {pieces} --note …"
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
