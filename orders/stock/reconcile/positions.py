"""The ledger's word on a product: the stock that it should have.

That is what the last applied movement left, read under the product's mutex, or what a person has
accepted since (``orders.stock.reconcile.accepting``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from orders import queries
from orders.status import MovementState

# May have changed stock, and nobody can tell. What is claimed has not been sent yet: like what is
# planned it has changed nothing, whoever holds it, and whoever looks twice sees it begin to.
UNCLEAR = (MovementState.SENT, MovementState.UNKNOWN, MovementState.REVIEW)

# In the order of ``sent_at``: a person may decide much later that a movement was applied. One that
# was decided without a reading of the stock after it has only its delta to say.
_POSITIONS = """
WITH last AS (
  SELECT DISTINCT ON (product_id) product_id, id, confirmation_id, after_quantity,
         after_updated_at, sent_at
    FROM orders_stockmovement
   WHERE product_id = ANY(%(products)s) AND state = 'applied' AND after_quantity IS NOT NULL
   ORDER BY product_id, sent_at DESC, id),
word AS (
  SELECT DISTINCT ON (product_id) * FROM (
    SELECT product_id, id AS movement, NULL::bigint AS baseline, confirmation_id,
           after_quantity AS quantity, after_updated_at AS updated_at, sent_at AS since FROM last
    UNION ALL
    SELECT product_id, NULL, id, NULL, quantity, NULL, at
      FROM orders_stockbaseline WHERE product_id = ANY(%(products)s)) AS said
   ORDER BY product_id, since DESC NULLS LAST, baseline DESC)
SELECT w.product_id, coalesce(w.movement::text, w.baseline::text), c.order_id, w.since,
       w.updated_at,
       w.quantity + coalesce(sum(m.delta) FILTER (WHERE m.state = 'applied'), 0)::bigint,
       coalesce(bool_or(m.state <> 'applied'), false),
       coalesce(bool_or(m.state = 'applied' AND NOT m.exclusive), false)
  FROM word w
  LEFT JOIN orders_confirmation c ON c.id = w.confirmation_id
  LEFT JOIN orders_stockmovement m
    ON m.product_id = w.product_id
   AND (m.state = ANY(%(unclear)s)
        OR (m.state = 'applied'
            AND (coalesce(m.sent_at, m.resolved_at) > w.since
                 OR m.id = w.movement AND NOT m.exclusive)))
 GROUP BY w.product_id, w.movement, w.baseline, c.order_id, w.since, w.updated_at, w.quantity
 ORDER BY w.product_id
"""


@dataclass(frozen=True, slots=True)
class Position:
    """The ledger's word on a product; equal as long as none of our movements touches it."""

    product_id: str
    said_by: str  # the movement's key, or the baseline's
    order: int | None  # None when a person has accepted the stock
    since: datetime
    updated_at: str | None  # the inventory's own word on when that was
    expected: int
    moving: bool  # or in review
    raced: bool  # moved without the mutex: what was read may be another movement's, too

    @property
    def unclear(self) -> bool:
        """Whether nothing can be expected."""
        return self.moving or self.raced


def positions(products: Sequence[str]) -> dict[str, Position]:
    """Return the ledger's word on those of some products that it has one on."""
    if not products:
        return {}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(queries.PATIENT)
        cursor.execute(_POSITIONS, {"products": list(products), "unclear": list(UNCLEAR)})
        return {row[0]: Position(*row) for row in cursor.fetchall()}
