"""Whether the inventory has the stock that the ledger expects, product by product (I3).

Only changes that are not ours can come after the ledger's last word on a product. A product may
move while we look, so whatever disagrees is looked up in the ledger again, and counts only when
nothing has moved.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count

from inventory_client import StockLevel
from inventory_client.errors import UNKNOWN_PRODUCT
from orders import queries
from orders.models import StockMovement
from orders.status import MovementState
from orders.stock.reconcile.findings import Finding, Severity
from orders.stock.reconcile.positions import UNCLEAR, Position, positions
from orders.stock.reconcile.reading import levels, moment
from orders.stock.reconcile.under_way import UnderWay, in_flight, under_way, undone_first

ROUNDS = 3  # looks at a product that moves, or can't be read, before it is left out

_MOVED = """
SELECT product_id FROM orders_stockmovement
 WHERE (state = 'applied' OR state = ANY(%(unclear)s))
   AND (%(all)s OR product_id = ANY(%(products)s))
UNION
SELECT product_id FROM orders_stockbaseline WHERE %(all)s OR product_id = ANY(%(products)s)
 ORDER BY product_id
"""


def moved_products(among: Sequence[str]) -> list[str]:
    """Return the products that may have moved, of some, or of all when none are named."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(queries.PATIENT)
        cursor.execute(
            _MOVED, {"all": not among, "products": list(among), "unclear": list(UNCLEAR)}
        )
        return [product for (product,) in cursor.fetchall()]


def compare(products: Sequence[str], *, since: datetime | None = None) -> Iterator[Finding]:
    """Compare the ledger's expectation for some products with the inventory's stock.

    ``since``, the time of a restored backup, says that somebody decides on each: then a difference
    is a violation, whoever else changes stock, what can't be read is more than unsettled, and what
    agrees is noted where the inventory has changed it since then.
    """
    sole = settings.INVENTORY_SOLE_WRITER or since is not None
    left: Sequence[str] = products
    stocks: dict[str, StockLevel | str] = {}
    for _ in range(ROUNDS):
        before = positions(left)
        quiet = [product for product, position in before.items() if not position.unclear]
        stocks = _stocks(quiet)
        agreed = {product for product in quiet if _has(stocks[product]) == before[product].expected}
        if since is not None:
            alike = [position for product, position in before.items() if product in agreed]
            yield from _changed_alike(alike, stocks, since)
        left = [product for product in left if product not in agreed]
        drifts = [
            position
            for product, position in positions(left).items()
            if position == before.get(product)
            and not position.unclear
            and not _unread(stocks[product])
        ]
        moving = under_way([position.product_id for position in drifts])
        for position in drifts:
            product = position.product_id
            yield _drift(position, stocks[product], moving.get(product), sole=sole)
        drifted = {position.product_id for position in drifts}
        left = [product for product in left if product not in drifted]
        if not left or (quiet and all(_unread(stocks[product]) for product in quiet)):
            break
    yield from _not_compared(left, stocks, after_restore=since is not None)


def _stocks(products: Sequence[str]) -> dict[str, StockLevel | str]:
    """Return the inventory's stock of each product, or the code of why there is none."""
    return {
        product: level if isinstance(level, StockLevel) else level.code
        for product, level in zip(products, levels(products), strict=True)
    }


def _has(stock: StockLevel | str) -> int | None:
    """Return a stock in pieces: what is gone has none; None when it can't be told."""
    if isinstance(stock, str):
        return 0 if stock == UNKNOWN_PRODUCT else None
    return stock.quantity


def _unread(stock: StockLevel | str) -> bool:
    return isinstance(stock, str) and stock != UNKNOWN_PRODUCT


def _changed_alike(
    alike: Sequence[Position], stocks: Mapping[str, StockLevel | str], since: datetime
) -> Iterator[Finding]:
    """Note what the inventory has changed since then, to what the ledger expects.

    No violation: what agrees can't be accepted, so that it would stay one for ever.
    """
    for position in alike:
        stock = stocks[position.product_id]
        if not isinstance(stock, StockLevel) or stock.updated_at == position.updated_at:
            continue  # nobody has changed it since the ledger's last word
        at = moment(stock.updated_at)
        if at is not None and at >= max(since, position.since):
            yield Finding(
                "I3",
                Severity.NOTE,
                None,
                position.product_id,
                f"the inventory has {position.expected}, as expected, and changed it at"
                f" {at.isoformat(timespec='seconds')}: two changes may have met",
                "look in the inventory's log for 'movement:' since the backup: what was done for an"
                " order that is PENDING, CONFIRMED or under way again, or will be entered again, is"
                " done again, unless the ledger has it as applied: undo it there, and accept what"
                " differs then (docs/backups.md)",
            )


def _drift(
    position: Position, stock: StockLevel | str, moving: UnderWay | None, *, sole: bool
) -> Finding:
    """Without other writers a drift breaks I3; with them it is what a restock looks like."""
    since = position.since.isoformat(timespec="seconds")
    look = (
        f"look in the inventory's log for changes of {position.product_id} since {since}"
        " without 'movement:' in their reason, or, after a restore, of orders since the backup"
    )
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
    if not sole:
        next_step = f"nothing, if somebody restocked; else {look}"
    elif moving is None:
        next_step = (
            f"{look}; undo there what must not be, or accept it: manage.py accept_stock {product}"
            f" {pieces} --note …"
        )
    else:
        next_step = f"{look}; undo there what must not be; {undone_first(position.product_id)}"
    return Finding(
        "I3",
        Severity.VIOLATION if sole else Severity.NOTE,
        None,
        position.product_id,
        f"{said}, and the inventory {has}" + (f"; {moving.words}" if moving else ""),
        next_step,
    )


def _not_compared(
    products: Sequence[str], stocks: Mapping[str, StockLevel | str], *, after_restore: bool
) -> Iterator[Finding]:
    """Name what could not be compared; those that could not be read are counted by reason."""
    unread: dict[str, list[str]] = {}
    others = []
    for product in products:
        stock = stocks.get(product)
        if isinstance(stock, str) and _unread(stock):
            unread.setdefault(stock, []).append(product)
        else:
            others.append(product)
    by, wordless = in_flight(others), _wordless(others)
    for product in others:
        if product in wordless and product not in by:
            yield Finding(
                "I3",
                _severity(must_be_read=after_restore),
                None,
                product,
                f"not compared with the inventory: {wordless[product]}",
                "look in the inventory's log for changes of it; undo there what must not be, and"
                f" then accept what it has: manage.py accept_stock {shlex.quote(product)} QUANTITY"
                " --note …",
            )
        else:
            named = f" ({by[product]})" if product in by else ""
            yield Finding(
                "I3",
                _severity(),
                None,
                product,
                f"not compared with the inventory: it is moving, or waits for a review{named}",
                "run this again when it is quiet; after a restore undo in the inventory what else"
                " it has done with it since then (docs/backups.md)",
            )
    for code, names in unread.items():
        yield Finding(
            "I3",
            _severity(must_be_read=after_restore),
            None,
            names[0] if len(names) == 1 else None,
            f"not compared, the inventory can't be read ({code}): {len(names)} products",
            "see manage.py check_inventory, then run this again",
        )


def _wordless(products: Sequence[str]) -> dict[str, str]:
    """Return why nothing can be expected of those of some products that have moved.

    A person's decisions alone say that they moved, or nobody can tell whose movement was read.
    """
    applied = StockMovement.objects.filter(product_id__in=products, state=MovementState.APPLIED)
    counted = applied.values("product_id").annotate(read=Count("after_quantity"))
    unread = counted.filter(read=0).values_list("product_id", flat=True)
    raced = [product for product, position in positions(products).items() if position.raced]
    return {
        **dict.fromkeys(unread, "nobody has read what the ledger's movements left"),
        **dict.fromkeys(raced, "it was moved without the mutex, and nothing can be expected of it"),
    }


def _severity(*, must_be_read: bool = False) -> Severity:
    """Return what it means that a product was not compared."""
    if must_be_read:
        return Severity.UNREAD
    return Severity.UNSETTLED if settings.INVENTORY_SOLE_WRITER else Severity.NOTE
