"""What the inventory has changed of products that the ledger has no word on.

A restored ledger has none on a product that was moved for the first time after the backup. The
inventory tells when it last changed a product, though not by how much.
"""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection, transaction

from inventory_client import StockLevel
from inventory_client.errors import UNKNOWN_PRODUCT, InventoryError
from orders.status import MovementState
from orders.stock import inventory
from orders.stock.reconcile.findings import Finding, Severity
from orders.stock.reconcile.positions import PATIENCE, UNCLEAR
from orders.stock.reconcile.reading import levels

NO_LIST = "not_offered"

# What is unclear has no word yet, and says so by another finding. What is claimed, like what is
# planned, has moved nothing.
_KNOWN = """
SELECT product_id FROM orders_stockmovement WHERE state = ANY(%(moved)s)
UNION SELECT product_id FROM orders_stockbaseline
"""
_MOVED = (MovementState.APPLIED, *UNCLEAR)
_ORDERED = f"SELECT DISTINCT product_id FROM orders_orderitem EXCEPT ({_KNOWN}) ORDER BY 1"  # noqa: S608 - our own words
_IS_KNOWN = f"SELECT product_id FROM ({_KNOWN}) AS known WHERE product_id = %(product)s"  # noqa: S608


def changed(among: Sequence[str], since: datetime) -> Iterator[Finding]:
    """Find the products without a word that the inventory has changed since a moment.

    A dialect without a list of all products tells of those alone that somebody has ordered.
    """
    severity = Severity.VIOLATION if settings.INVENTORY_SOLE_WRITER else Severity.NOTE
    undated = 0
    try:
        for level in _without_a_word():
            if among and level.product_id not in among:
                continue
            at = _moment(level.updated_at)
            undated += at is None
            # What was planned when we began may have moved since.
            if at is not None and at >= since and not _names(_IS_KNOWN, level.product_id):
                yield _finding(level, severity)
    except InventoryError as exc:
        yield _not_looked_at(f"the inventory can't be read ({exc.code})")
    if undated:
        yield _not_looked_at(f"the inventory does not tell when it changed {undated} of them")


def _without_a_word() -> Iterator[StockLevel]:
    """Read the stock of the products that the ledger has no word on."""
    known = set(_names(_KNOWN))
    client = inventory.client()
    try:
        for level in client.levels():
            if level.product_id not in known:
                yield level
    except InventoryError as exc:
        if exc.code != NO_LIST:
            raise
        yield from _read(_names(_ORDERED))


def _read(products: Iterable[str]) -> Iterator[StockLevel]:
    for level in levels(products):
        if isinstance(level, StockLevel):
            yield level
        elif level.code != UNKNOWN_PRODUCT:
            raise level


def _names(statement: str, product: str | None = None) -> list[str]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(PATIENCE)
        cursor.execute(statement, {"moved": list(_MOVED), "product": product})
        return [name for (name,) in cursor.fetchall()]


def _moment(text: str | None) -> datetime | None:
    """Return when that was; None when it can't be told. Without a zone it is UTC."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _finding(level: StockLevel, severity: Severity) -> Finding:
    product = shlex.quote(level.product_id)
    return Finding(
        "I3",
        severity,
        None,
        level.product_id,
        f"the ledger never moved it, and the inventory changed it at {level.updated_at};"
        f" it has {level.quantity}",
        "look in the inventory's log for what was done then; undo there what must not be, and then"
        f" accept what it has: manage.py accept_stock {product} {level.quantity} --note …",
    )


def _not_looked_at(why: str) -> Finding:
    return Finding(
        "I3",
        Severity.UNSETTLED if settings.INVENTORY_SOLE_WRITER else Severity.NOTE,
        None,
        None,
        f"products that the ledger never moved were not all looked at: {why}",
        "search the inventory's log for 'movement:' since then; see manage.py check_inventory",
    )
