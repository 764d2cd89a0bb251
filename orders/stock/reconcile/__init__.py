"""Whether the ledger keeps its invariants, and whether the inventory's stock agrees with it.

The work comes in parts, each of which reads a bounded number of orders or products, so that a
million orders need no more memory, no longer statement and no longer transaction than a thousand.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial

from django.db import connection

from orders.models import OrderItem
from orders.stock.reconcile import checks, drift, unmoved
from orders.stock.reconcile.accepting import accept
from orders.stock.reconcile.findings import Finding, Severity
from orders.stock.reconcile.reading import moment

ORDERS_A_PART = 10_000
PRODUCTS_A_PART = 500

__all__ = ["Finding", "Severity", "accept", "moment", "parts"]


def parts(
    products: Sequence[str] = (), *, ask_inventory: bool = True, since: datetime | None = None
) -> list[Callable[[], Iterator[Finding]]]:
    """Return the parts of a reconciliation, to be run one after the other.

    With ``products`` they find only what is about one of these, or about an order of one; with
    ``ask_inventory`` they compare the ledger with the stock that the inventory service has; with
    ``since`` they also look for what that has changed since then and the ledger never moved, note
    what it has changed and agrees, and take what can't be read for more than unsettled.
    """
    found: list[Callable[[], Iterator[Finding]]] = [
        partial(_among, products, checks.run, first, first + ORDERS_A_PART - 1)
        for first in _first_numbers()
    ]
    if ask_inventory:
        moved = drift.moved_products(products)
        for start in range(0, len(moved), PRODUCTS_A_PART):
            some = moved[start : start + PRODUCTS_A_PART]
            found.append(partial(drift.compare, some, since=since))
        if since is not None:
            found.append(partial(unmoved.changed, products, since))
    return found


# Where each part begins. A restore skips numbers, perhaps a great many, and nothing is between.
_FIRST_NUMBERS = """
WITH RECURSIVE part (first) AS (
  SELECT min(number) FROM orders_order
  UNION ALL
  SELECT (SELECT min(number) FROM orders_order WHERE number >= part.first + %s)
    FROM part WHERE part.first IS NOT NULL)
SELECT first FROM part WHERE first IS NOT NULL
"""


def _first_numbers() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_NUMBERS, [ORDERS_A_PART])
        return [number for (number,) in cursor.fetchall()]


def _among(
    products: Sequence[str], check: Callable[[int, int], Iterator[Finding]], first: int, last: int
) -> Iterator[Finding]:
    """Keep what is about these products; what is about a whole order, if it has one of them."""
    if not products:
        yield from check(first, last)
        return
    found = list(check(first, last))
    whole = [each.order for each in found if each.product_id is None]
    theirs = set(
        OrderItem.objects.filter(order__in=whole, product_id__in=products).values_list(
            "order_id", flat=True
        )
    )
    for each in found:
        if each.product_id in products or (each.product_id is None and each.order in theirs):
            yield each
