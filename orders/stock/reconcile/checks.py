"""Whether our own tables keep the ledger's invariants, and what to do where they do not.

Each check is one statement on the orders of a range, so it sees them all at one moment, and may run
while orders are being confirmed. A further check is a further function in `_CHECKS`.
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection

from orders.stock.reconcile.findings import Finding, Severity

_Range = dict[str, int]  # the first and the last number

# An order's items may name a product at several prices; a movement is of the product.
_NET = """
WITH needed AS (
  SELECT order_id, product_id, sum(quantity) AS pieces FROM orders_orderitem
   WHERE order_id BETWEEN %(first)s AND %(last)s GROUP BY order_id, product_id),
taken AS (
  SELECT c.order_id, m.product_id, -sum(m.delta) AS pieces
    FROM orders_stockmovement m JOIN orders_confirmation c ON c.id = m.confirmation_id
   WHERE m.state = 'applied' AND c.order_id BETWEEN %(first)s AND %(last)s
   GROUP BY c.order_id, m.product_id)
SELECT o.number, product_id, o.status, coalesce(n.pieces, 0), coalesce(t.pieces, 0)
  FROM needed n FULL JOIN taken t USING (order_id, product_id)
  JOIN orders_order o ON o.number = order_id
 WHERE coalesce(t.pieces, 0)
       <> CASE WHEN o.status IN ('CONFIRMED', 'COMPLETED') THEN coalesce(n.pieces, 0) ELSE 0 END
   AND NOT EXISTS (SELECT 1 FROM orders_confirmation u
                    WHERE u.order_id = o.number AND u.state IN ('running', 'reversing'))
 ORDER BY o.number, product_id
"""


def _net_movements(orders: _Range) -> Iterator[Finding]:
    """I4 and I5: what an order took is what it needs, or nothing."""
    for number, product, status, needed, taken in _rows(_NET, orders):
        holds = status in ("CONFIRMED", "COMPLETED")
        excess = taken - (needed if holds else 0)
        change = f"add {excess}" if excess > 0 else f"remove {-excess}"
        yield Finding(
            "I4" if holds else "I5",
            Severity.VIOLATION,
            number,
            product,
            f"{status}, needs {needed if holds else 0}, and the ledger shows {taken} taken",
            f"look for 'order:{number} ' in the inventory's log; if it agrees with the ledger,"
            f" {change} there by hand",
        )


_REVERSALS = """
SELECT c.order_id, r.product_id, r.id, r.state, r.delta, d.product_id, d.state, d.delta
  FROM orders_stockmovement r
  JOIN orders_stockmovement d ON d.id = r.reverses_id
  JOIN orders_confirmation c ON c.id = r.confirmation_id
 WHERE r.state <> 'void' AND c.order_id BETWEEN %(first)s AND %(last)s
   AND (d.state <> 'applied' OR r.delta <> -d.delta OR r.product_id <> d.product_id
        OR r.confirmation_id <> d.confirmation_id)
 ORDER BY c.order_id, r.product_id
"""


def _reversals(orders: _Range) -> Iterator[Finding]:
    """I6: a reversal mirrors exactly one applied deduction."""
    for number, product, id_, state, delta, of_product, of_state, of_delta in _rows(
        _REVERSALS, orders
    ):
        yield Finding(
            "I6",
            Severity.VIOLATION,
            number,
            product,
            f"reversal {id_} ({delta:+d}, {state}) mirrors no applied deduction, but"
            f" {of_delta:+d} × {of_product} {of_state}",
            f"look for 'movement:{id_}' in the inventory's log and undo there what it did",
        )


_UNFINISHED = """
SELECT c.order_id, c.state, extract(epoch FROM clock_timestamp() - c.created_at)::bigint,
       extract(epoch FROM clock_timestamp() - c.wake_at)::bigint
  FROM orders_confirmation c
 WHERE c.state IN ('running', 'reversing') AND c.order_id BETWEEN %(first)s AND %(last)s
   AND NOT EXISTS (SELECT 1 FROM orders_stockmovement m
                    WHERE m.confirmation_id = c.id AND m.state = 'review')
 ORDER BY c.order_id
"""
WORKER_IS_LATE = 60  # seconds


def _unfinished(orders: _Range) -> Iterator[Finding]:
    """I7: in the end nothing is on its way."""
    for number, state, age, overdue in _rows(_UNFINISHED, orders):
        late = overdue > WORKER_IS_LATE
        yield Finding(
            "I7",
            Severity.UNSETTLED,
            number,
            None,
            f"{state} for {age} s, "
            + (f"and nobody has come for {overdue} s" if late else f"next in {max(0, -overdue)} s"),
            (
                "start a worker (manage.py worker), or see in its log why it fails"
                if late
                else "wait, the worker settles it"
            )
            + "; after a restore start none before all drift is resolved",
        )


_REVIEWS = """
SELECT c.order_id, m.product_id, m.id, m.delta, m.before_quantity, m.after_quantity
  FROM orders_stockmovement m JOIN orders_confirmation c ON c.id = m.confirmation_id
 WHERE m.state = 'review' AND c.order_id BETWEEN %(first)s AND %(last)s
 ORDER BY c.order_id, m.product_id
"""


def _reviews(orders: _Range) -> Iterator[Finding]:
    """I7: what needs a person is listed."""
    for number, product, id_, delta, before, after in _rows(_REVIEWS, orders):
        yield Finding(
            "I7",
            Severity.REVIEW,
            number,
            product,
            f"nobody can tell whether {delta:+d} was applied: stock was {before}, then {after}",
            f"look for 'movement:{id_}' in the inventory's log, then decide:"
            f" manage.py resolve_stock {id_}",
        )


_FORGOTTEN = """
SELECT c.order_id, m.product_id, m.id, m.state, c.state
  FROM orders_stockmovement m JOIN orders_confirmation c ON c.id = m.confirmation_id
 WHERE m.state IN ('planned', 'claimed', 'sent', 'unknown', 'review')
   AND c.state NOT IN ('running', 'reversing') AND c.order_id BETWEEN %(first)s AND %(last)s
 ORDER BY c.order_id, m.product_id
"""


def _forgotten(orders: _Range) -> Iterator[Finding]:
    """I7: a closed confirmation has no open movement, for nobody would look at it again."""
    for number, product, id_, state, closed_as in _rows(_FORGOTTEN, orders):
        yield Finding(
            "I7",
            Severity.VIOLATION,
            number,
            product,
            f"movement {id_} is {state}, though its confirmation is {closed_as}",
            f"look for 'movement:{id_}' in the inventory's log, and report the bug",
        )


_STATUS = """
SELECT o.number, o.status, c.id IS NOT NULL
  FROM orders_order o
  LEFT JOIN orders_confirmation c ON c.order_id = o.number AND c.state = 'confirmed'
 WHERE (o.status IN ('CONFIRMED', 'COMPLETED')) <> (c.id IS NOT NULL)
   AND o.number BETWEEN %(first)s AND %(last)s
 ORDER BY o.number
"""


def _statuses(orders: _Range) -> Iterator[Finding]:
    """I9: an order is CONFIRMED or COMPLETED exactly when it has a confirmed confirmation."""
    for number, status, has_stock in _rows(_STATUS, orders):
        yield Finding(
            "I9",
            Severity.VIOLATION,
            number,
            None,
            f"{status}, {'but' if has_stock else 'without'} a confirmed confirmation",
            "see the order's timeline; no verb does this, so look for a hand in the tables",
        )


_STOCK_STATES = """
SELECT o.number, o.status, o.stock_state, u.id IS NOT NULL
  FROM orders_order o
  LEFT JOIN orders_confirmation u
    ON u.order_id = o.number AND u.state IN ('running', 'reversing')
 WHERE o.number BETWEEN %(first)s AND %(last)s
   AND ((o.stock_state IN ('settling', 'review')) <> (u.id IS NOT NULL)
        OR (o.stock_state = 'short' AND o.status <> 'PENDING'))
 ORDER BY o.number
"""


def _stock_states(orders: _Range) -> Iterator[Finding]:
    """The order says how its stock stands, as its confirmations do."""
    for number, status, stock_state, unsettled in _rows(_STOCK_STATES, orders):
        yield Finding(
            "stock_state",
            Severity.VIOLATION,
            number,
            None,
            f"{status}, stock is {stock_state}, yet a confirmation is"
            f" {'still' if unsettled else 'no longer'} under way",
            "see the order's timeline; no verb does this, so look for a hand in the tables",
        )


_CHECKS: tuple[Callable[[_Range], Iterator[Finding]], ...] = (
    _net_movements,
    _reversals,
    _unfinished,
    _reviews,
    _forgotten,
    _statuses,
    _stock_states,
)


def run(first: int, last: int) -> Iterator[Finding]:
    """Run all checks on the orders with these numbers."""
    for check in _CHECKS:
        yield from check({"first": first, "last": last})


def _rows(statement: str, orders: _Range) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, orders)
        return list(cursor.fetchall())
