"""What the inventory has changed of products that the ledger has no word on.

A restored ledger has none on a product that was moved for the first time after the backup. The
inventory tells when it last changed a product, though not by how much.
"""

import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import connection, transaction

from inventory_client import StockLevel
from inventory_client.errors import UNKNOWN_PRODUCT, InventoryError
from orders import queries
from orders.status import MovementState
from orders.stock import inventory
from orders.stock.reconcile.findings import Finding, Severity
from orders.stock.reconcile.positions import UNCLEAR
from orders.stock.reconcile.reading import levels, moment
from orders.stock.reconcile.under_way import under_way, undone_first

NO_LIST = "not_offered"

# What is unclear has no word yet, and says so by another finding. What is claimed, like what is
# planned, has moved nothing.
_KNOWN = """
SELECT product_id FROM orders_stockmovement WHERE state = ANY(%(moved)s)
UNION SELECT product_id FROM orders_stockbaseline
"""
_NOT_THERE = (UNKNOWN_PRODUCT, "invalid_product_id")
_MOVED = (MovementState.APPLIED, *UNCLEAR)
_ORDERED = f"SELECT DISTINCT product_id FROM orders_orderitem EXCEPT ({_KNOWN}) ORDER BY 1"  # noqa: S608 - our own words
_IS_KNOWN = f"SELECT product_id FROM ({_KNOWN}) AS known WHERE product_id = %(product)s"  # noqa: S608


def changed(among: Sequence[str], since: datetime) -> Iterator[Finding]:
    """Find the products without a word that the inventory has changed since a moment.

    A dialect without a list of all products tells of those alone that somebody has ordered, or
    that are named.
    """
    undated, unread = 0, set[str]()
    for level in _without_a_word(among):
        if isinstance(level, InventoryError):
            if level.code == NO_LIST:
                yield _not_looked_at("this dialect has no list of products")
            else:
                unread.add(level.code)
            continue
        at = moment(level.updated_at)
        undated += at is None
        # What was planned when we began may have moved since.
        if at is not None and at >= since and not _names(_IS_KNOWN, level.product_id):
            yield _finding(level)
    if unread:
        yield _not_looked_at(f"the inventory can't be read ({', '.join(sorted(unread))})")
    if undated:
        yield _not_looked_at(f"the inventory does not tell when it changed {undated} of them")


def _without_a_word(among: Sequence[str]) -> Iterator[StockLevel | InventoryError]:
    """Read the stock of the products that the ledger has no word on, or why it can't be told."""
    known = set(_names(_KNOWN))
    try:
        for level in inventory.client().levels():
            if level.product_id not in known and (not among or level.product_id in among):
                yield level
    except InventoryError as exc:
        if exc.code != NO_LIST:
            yield exc
            return
        if not among:
            yield exc
    else:
        return
    for read in levels([each for each in among or _names(_ORDERED) if each not in known]):
        if isinstance(read, StockLevel) or read.code not in _NOT_THERE:
            yield read


def _names(statement: str, product: str | None = None) -> list[str]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(queries.PATIENT)
        cursor.execute(statement, {"moved": list(_MOVED), "product": product})
        return [name for (name,) in cursor.fetchall()]


def _finding(level: StockLevel) -> Finding:
    moving = under_way([level.product_id]).get(level.product_id)
    if moving is None:
        accept = (
            f"then accept what it has: manage.py accept_stock {shlex.quote(level.product_id)}"
            f" {level.quantity} --note …"
        )
    else:
        accept = undone_first(level.product_id)
    return Finding(
        "I3",
        Severity.VIOLATION,
        None,
        level.product_id,
        f"the ledger never moved it, and the inventory changed it at {level.updated_at};"
        f" it has {level.quantity}" + (f"; {moving.words}" if moving else ""),
        "look in the inventory's log for what was done then; undo there what must not be;"
        f" {accept}",
    )


def _not_looked_at(why: str) -> Finding:
    return Finding(
        "I3",
        Severity.UNREAD,
        None,
        None,
        f"products that the ledger never moved were not all looked at: {why}",
        "search the inventory's log for 'movement:' since then; see manage.py check_inventory",
    )
