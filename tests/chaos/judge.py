"""The judgement: I1 to I9 against the sandbox's effects and the orders that were acknowledged.

Each statement returns one row a violation. The truth is loaded into temporary tables beside ours:
``truth`` (an effect a row), ``shelf`` (initial and current stock), ``acknowledged`` (each 201).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psycopg

from tests.chaos.upstream import Effect


@dataclass(frozen=True, slots=True)
class Truth:
    """What really happened, as the other side and the customers know it."""

    effects: Sequence[Effect]
    initial: Mapping[str, int]
    current: Mapping[str, int]
    acknowledged: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """Violations by invariant, each with what it is about; and what a person must still see to."""

    violations: dict[str, list[str]]
    unresolved: int
    drift: dict[str, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """The number of all violations."""
        return sum(len(each) for each in self.violations.values())


_TRUTH = """
CREATE TEMP TABLE truth (product_id text, delta int, movement_id text, number bigint);
CREATE TEMP TABLE shelf (product_id text PRIMARY KEY, initial int, current int);
CREATE TEMP TABLE acknowledged (key text, public_id uuid);
"""

_VIEWS = """
CREATE TEMP VIEW needed AS
 SELECT order_id AS number, product_id, sum(quantity)::int AS pieces
   FROM orders_orderitem GROUP BY 1, 2;
CREATE TEMP VIEW believed AS
 SELECT c.order_id AS number, m.product_id, sum(m.delta)::int AS net
   FROM orders_stockmovement m JOIN orders_confirmation c ON c.id = m.confirmation_id
  WHERE m.state = 'applied' GROUP BY 1, 2;
CREATE TEMP VIEW real AS
 SELECT number, product_id, sum(delta)::int AS net FROM truth GROUP BY 1, 2;
CREATE TEMP VIEW settled AS
 SELECT o.* FROM orders_order o WHERE o.stock_state NOT IN ('settling', 'review')
    AND NOT EXISTS (SELECT 1 FROM orders_confirmation c
                     WHERE c.order_id = o.number AND c.state IN ('running', 'reversing'))
"""

# The net of each line, by the ledger and in truth: an order that has its stock, and one that must
# not have any.
_NET = """
SELECT 'order ' || o.number || ' ' || o.status || ', product ' || n.product_id || ': needs '
       || n.pieces || ', took ' || -coalesce({net}.net, 0) || ' ({words})'
  FROM settled o JOIN needed n ON n.number = o.number
  LEFT JOIN {net} ON {net}.number = o.number AND {net}.product_id = n.product_id
 WHERE o.status IN {statuses} AND coalesce({net}.net, 0) <> {expected}
"""
_HOLDS = "('CONFIRMED', 'COMPLETED')"
_HOLDS_NOT = "('PENDING', 'CANCELLED')"


def _net(net: str, words: str, statuses: str, expected: str) -> str:
    return _NET.format(net=net, words=words, statuses=statuses, expected=expected)


# By the order alone, for what keeps no ledger too.
_OF_ORDERS: list[tuple[str, str]] = [
    ("I3", "SELECT product_id || ' is below 0: ' || current FROM shelf WHERE current < 0"),
    (
        "I3",
        """
        SELECT s.product_id || ': an update was lost, ' || s.current || ' in stock instead of '
               || s.initial + t.net
          FROM shelf s JOIN (SELECT product_id, sum(delta) AS net FROM truth GROUP BY 1) t
            ON t.product_id = s.product_id
         WHERE s.current <> s.initial + t.net
        """,
    ),
    ("I4", _net("real", "in truth", _HOLDS, "-n.pieces")),
    ("I5", _net("real", "in truth", _HOLDS_NOT, "0")),
    (
        "I8",
        """
        SELECT 'order ' || a.public_id || ' was acknowledged and does not exist'
          FROM acknowledged a LEFT JOIN orders_order o ON o.public_id = a.public_id
         WHERE o.number IS NULL
        """,
    ),
    (
        "I8",
        """
        SELECT 'key ' || customer_reference || ' made ' || count(*) || ' orders'
          FROM orders_order WHERE customer_reference LIKE 'key-%'
         GROUP BY customer_reference HAVING count(*) > 1
        """,
    ),
    (
        "I8",
        """
        SELECT 'key ' || key || ' was answered with several orders' FROM acknowledged
         GROUP BY key HAVING count(DISTINCT public_id) > 1
        """,
    ),
]

_OF_THE_LEDGER: list[tuple[str, str]] = [
    (
        "I1",
        """
        SELECT 'movement ' || movement_id || ' was applied ' || count(*) || ' times' FROM truth
         WHERE movement_id IS NOT NULL GROUP BY movement_id HAVING count(*) > 1
        """,
    ),
    (
        "I2",
        """
        SELECT 'movement ' || m.id || ' is ' || m.state || ', upstream applied it '
               || count(t.movement_id) || ' times'
          FROM orders_stockmovement m LEFT JOIN truth t ON t.movement_id = m.id::text
         WHERE m.state NOT IN ('claimed', 'sent', 'unknown', 'review')
         GROUP BY m.id HAVING (m.state = 'applied') <> (count(t.movement_id) > 0)
        """,
    ),
    (
        "I2",
        """
        SELECT 'an effect on ' || t.product_id || ' of ' || t.delta || ' has no such movement'
          FROM truth t LEFT JOIN orders_stockmovement m ON m.id::text = t.movement_id
         WHERE m.id IS NULL OR m.product_id <> t.product_id OR m.delta <> t.delta
        """,
    ),
    (
        "I3",
        """
        SELECT s.product_id || ': ' || s.current || ' in stock instead of '
               || s.initial + coalesce(m.net, 0)
          FROM shelf s LEFT JOIN (SELECT product_id, sum(delta) AS net FROM orders_stockmovement
                                   WHERE state = 'applied' GROUP BY 1) m
            ON m.product_id = s.product_id
         WHERE s.current <> s.initial + coalesce(m.net, 0)
        """,
    ),
    ("I4", _net("believed", "by the ledger", _HOLDS, "-n.pieces")),
    ("I5", _net("believed", "by the ledger", _HOLDS_NOT, "0")),
    (
        "I6",
        """
        SELECT 'reversal ' || r.id || ' mirrors no applied deduction'
          FROM orders_stockmovement r JOIN orders_stockmovement d ON d.id = r.reverses_id
         WHERE r.state <> 'void' AND (d.state <> 'applied' OR r.delta <> -d.delta
               OR r.product_id <> d.product_id OR r.confirmation_id <> d.confirmation_id)
        """,
    ),
    (
        "I7",
        """
        SELECT 'confirmation ' || c.id || ' of order ' || c.order_id || ' is ' || c.state
          FROM orders_confirmation c
         WHERE c.state IN ('running', 'reversing')
           AND NOT EXISTS (SELECT 1 FROM orders_stockmovement m
                            WHERE m.confirmation_id = c.id AND m.state = 'review')
        """,
    ),
    (
        "I7",
        """
        SELECT 'movement ' || id || ' is ' || state FROM orders_stockmovement
         WHERE state IN ('claimed', 'sent', 'unknown')
        """,
    ),
    (
        "I7",
        """
        SELECT 'order ' || o.number || ' is shown as ' || o.stock_state || ', with '
               || count(m.id) || ' movements in review'
          FROM orders_order o
          LEFT JOIN orders_confirmation c
            ON c.order_id = o.number AND c.state IN ('running', 'reversing')
          LEFT JOIN orders_stockmovement m ON m.confirmation_id = c.id AND m.state = 'review'
         GROUP BY o.number
        HAVING (o.stock_state = 'review') <> (count(m.id) > 0)
            OR (o.stock_state = 'settling') <> (count(DISTINCT c.id) > 0 AND count(m.id) = 0)
        """,
    ),
    (
        "I9",
        """
        SELECT 'order ' || o.number || ' is ' || o.status || ', its confirmations '
               || coalesce(string_agg(c.state, ', '), 'none')
          FROM orders_order o LEFT JOIN orders_confirmation c ON c.order_id = o.number
         GROUP BY o.number
        HAVING (o.status IN ('CONFIRMED', 'COMPLETED'))
               <> coalesce(bool_or(c.state = 'confirmed'), false)
        """,
    ),
]


def judge(database_url: str, truth: Truth, *, without_ledger: bool = False) -> Judgement:
    """Compare the ledger with the truth; ``without_ledger`` compares only what each order got."""
    statements = _OF_ORDERS if without_ledger else _OF_ORDERS + _OF_THE_LEDGER
    violations: dict[str, list[str]] = {f"I{n}": [] for n in range(1, 10)}
    with psycopg.connect(database_url, autocommit=True) as connection:
        _load(connection, truth)
        for invariant, statement in statements:
            found = connection.execute(statement.encode()).fetchall()
            violations[invariant] += [str(row[0]) for row in found]
        unresolved = connection.execute(
            "SELECT count(*) FROM orders_stockmovement"
            " WHERE state IN ('claimed', 'sent', 'unknown', 'review')"
        ).fetchone()
        drift = connection.execute(
            "SELECT s.product_id, s.current - s.initial - coalesce(sum(m.delta), 0)::int"
            "  FROM shelf s LEFT JOIN orders_stockmovement m"
            "    ON m.product_id = s.product_id AND m.state = 'applied'"
            " GROUP BY s.product_id"
        ).fetchall()
    return Judgement(violations, unresolved[0] if unresolved else 0, dict(drift))


def _load(connection: psycopg.Connection, truth: Truth) -> None:
    for statement in (_TRUTH + _VIEWS).split(";"):
        if statement.strip():
            connection.execute(statement.encode())
    tables: dict[str, list[tuple[object, ...]]] = {
        "truth": [(e.product_id, e.delta, e.movement_id, e.order_number) for e in truth.effects],
        "shelf": [
            (product, quantity, truth.current.get(product, 0))
            for product, quantity in truth.initial.items()
        ],
        "acknowledged": list(truth.acknowledged),
    }
    for table, rows in tables.items():
        with connection.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)
