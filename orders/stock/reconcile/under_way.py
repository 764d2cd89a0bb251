"""Which orders are under way with a product, and what the worker is yet to do to its stock.

A restored ledger has them as they were at the time of the backup. What the inventory has done for
them since then, the worker does once more.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from django.db import connection, transaction

from orders import queries
from orders.models import StockMovement
from orders.stock import movements
from orders.stock.reconcile.positions import UNCLEAR

NAMED = 5  # orders, or movements, of a product

# What is given up takes nothing more, and gives back what it has taken. What still runs does that,
# too, if it can't have everything.
_YET_TO_DO = """
WITH under_way AS (
  SELECT c.id, c.order_id,
         c.state = 'reversing' OR c.cancel_requested_at IS NOT NULL
         OR EXISTS (SELECT 1 FROM orders_stockmovement r
                     WHERE r.confirmation_id = c.id AND r.state = 'rejected') AS given_up
    FROM orders_confirmation c WHERE c.state IN ('running', 'reversing')),
yet_to_do AS (
  SELECT m.product_id, u.order_id, CASE WHEN m.state <> 'applied' THEN m.id END AS movement,
         CASE WHEN m.state = 'applied' THEN -m.delta ELSE m.delta END AS delta,
         m.state <> 'applied' OR u.given_up AS certain
    FROM under_way u JOIN orders_stockmovement m ON m.confirmation_id = u.id
   WHERE m.product_id = ANY(%(products)s)
     AND (m.state IN ('planned', 'claimed') AND (m.delta > 0 OR NOT u.given_up)
          OR m.state = 'applied' AND m.delta < 0
             AND NOT EXISTS (SELECT 1 FROM orders_stockmovement r WHERE r.reverses_id = m.id)))
SELECT * FROM (
  SELECT product_id, order_id, movement, delta, certain,
         row_number() OVER (PARTITION BY product_id ORDER BY order_id) AS place,
         count(*) OVER every,
         (coalesce(sum(delta) FILTER (WHERE certain) OVER every, 0))::bigint
    FROM yet_to_do WINDOW every AS (PARTITION BY product_id)) AS listed
 WHERE place <= %(named)s ORDER BY product_id, place
"""


@dataclass(frozen=True, slots=True)
class UnderWay:
    """What orders are yet to do with a product, in words, and the pieces that it comes to."""

    words: str
    pieces: int  # without what is given back only by who can't have everything


def under_way(products: Sequence[str]) -> dict[str, UnderWay]:
    """Return what is yet to be done with those of some products with which orders are under way."""
    if not products:
        return {}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(queries.PATIENT)
        cursor.execute(_YET_TO_DO, {"products": list(products), "named": NAMED})
        rows = cursor.fetchall()
    found = {}
    for product, group in groupby(rows, key=itemgetter(0)):
        its = list(group)
        named = [_words(*each[1:5]) for each in its]
        *_, count, pieces = its[0]
        found[product] = UnderWay(_listed(named, count), pieces)
    return found


def in_flight(products: Sequence[str]) -> dict[str, str]:
    """Return, as the inventory's log has it, what may have moved those products of some."""
    rows = (
        StockMovement.objects.filter(product_id__in=products, state__in=UNCLEAR)
        .order_by("product_id", "created_at", "pk")
        .values_list("product_id", "confirmation__order_id", "pk")
    )
    found = {}
    for product, group in groupby(rows, key=itemgetter(0)):
        named = [movements.reason(order, key) for _, order, key in group]
        found[product] = _listed(named[:NAMED], len(named))
    return found


def undone_first(product_id: str) -> str:
    """Return how to accept the stock of a product with which orders are under way."""
    return (
        "what these orders are yet to do is done again if it was done before a restore: undo that"
        " first, and accept only what differs then: manage.py accept_stock"
        f" {shlex.quote(product_id)} QUANTITY --note … (docs/backups.md)"
    )


def _words(order: int, movement: UUID | None, delta: int, certain: bool) -> str:
    """Say what an order is yet to do; without a movement, it plans one, which has a new key."""
    if not certain:
        return f"order #{order} gives back {delta} if it can't have everything"
    what = f"take {-delta}" if delta < 0 else f"give back {delta}"
    return f"order #{order} is yet to {what}" + (f" (movement:{movement})" if movement else "")


def _listed(named: Sequence[str], count: int) -> str:
    more = count - len(named)
    return ", ".join(named) + (f", and {more} more" if more else "")
