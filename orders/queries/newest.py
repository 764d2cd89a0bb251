"""The list that is asked for most: all orders, or all of a status or an owner, by number.

An index has each of these in the list's order, so that a page and its count are one statement,
which never reads more than it must. Every other list is `orders.queries.paging`'s.
"""

import time
from collections.abc import Sequence

from orders.actor import Actor
from orders.models import Order
from orders.queries.details import COLUMNS, OrderDetails, made
from orders.queries.filtering import EXACT, OrderFilter, find_all
from orders.queries.paging import MOST_EXPECTED, Count, Side
from orders.queries.reading import whose
from orderservice.postgresql import prepared

_SHARED_FOR = 10.0  # seconds that what the planner expects is asked for once by a process
_expected: dict[tuple[str | None, int | None], tuple[float, int]] = {}

_PAGE = f"""
    WITH page AS MATERIALIZED (
        SELECT number FROM orders_order WHERE {{conditions}} {{beyond}}
         ORDER BY number {{order}} {{offset}} LIMIT {{limit}}
    )
    SELECT {{count}}, {COLUMNS}
      FROM page JOIN orders_order o USING (number)
      LEFT JOIN orders_user owner ON owner.id = o.owner_id
     ORDER BY o.number {{order}}
"""
_COUNT = """
    (SELECT count(*)
       FROM (SELECT FROM orders_order WHERE {conditions} LIMIT %(most)s) AS enough)
"""


def by_number(
    actor: Actor, *, status: str | None, side: Side, key: int | None, skip: int, limit: int
) -> tuple[Sequence[OrderDetails], Count]:
    """Return at most ``limit`` orders that the actor is shown, and how many there are in all.

    They are next ``below`` or ``above`` a number, or behind the first ``skip`` of the list's newest
    or oldest end, the nearest first.
    """
    owner = whose(actor)
    conditions = "TRUE"
    conditions += "" if status is None else " AND status = %(status)s"
    conditions += "" if owner is None else " AND owner_id = %(owner)s"
    expected = _rows_expected(status, owner)
    count = _COUNT.format(conditions=conditions)
    parameters = {
        "status": status,
        "owner": owner,
        "key": key,
        "skip": skip,
        "most": EXACT + 1,
    }
    beyond = {"below": "AND number < %(key)s", "above": "AND number > %(key)s"}[side]
    statement = _PAGE.format(
        conditions=conditions,
        beyond="" if key is None else beyond,
        order="DESC" if side == "below" else "ASC",
        offset="OFFSET %(skip)s" if skip else "",
        limit=int(limit),  # in its words: of a parameter the planner would not know that it is few
        count=count if expected <= MOST_EXPECTED else "NULL",
    )
    with prepared() as cursor:
        cursor.execute(statement, parameters)
        rows = cursor.fetchall()
        counted = rows[0][0] if rows else 0
        if not rows and (skip or key is not None):  # a page behind the last has no row to tell it
            cursor.execute(f"SELECT {count}", parameters)
            (counted,) = cursor.fetchone()
    if counted is None or counted > EXACT:
        total = Count.guessed(expected, more_than=0 if counted is None else EXACT)
    else:
        total = Count(counted)
    return [made(details) for _, *details in rows], total


def _rows_expected(status: str | None, owner: int | None) -> int:
    """Return how many orders the planner expects, as it was asked a moment ago."""
    now = time.monotonic()
    asked, rows = _expected.get((status, owner), (0.0, 0))
    if not asked or now - asked > _SHARED_FOR:
        orders = Order.objects.all() if owner is None else Order.objects.filter(owner=owner)
        rows = find_all(orders, OrderFilter(status=status)).plan.rows
        if len(_expected) > 1000:  # owners
            _expected.clear()
        _expected[status, owner] = now, rows
    return rows
