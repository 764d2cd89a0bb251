"""How long an interrupted confirmation took until it was settled."""

from collections.abc import Sequence
from typing import Any

import psycopg

# An interruption is a kill at a step, a call that nobody heard of again, or one whose answer proved
# nothing. It is over with the next event that settles the order; a person's review is in between.
_SETTLED = """
WITH interrupted (confirmation_id, at) AS (
  SELECT confirmation_id, to_timestamp(at)
    FROM unnest(%s::bigint[], %s::float[]) AS killed (confirmation_id, at)
  UNION ALL
  SELECT m.confirmation_id, coalesce(a.ended_at, a.sent_at)
    FROM orders_stockattempt a JOIN orders_stockmovement m ON m.id = a.movement_id
   WHERE a.outcome NOT IN ('applied', 'insufficient_stock', 'unknown_product', 'redirected',
                           'throttled', 'connect_failed', 'breaker_open', 'send_guard'))
SELECT extract(epoch FROM (
         SELECT min(e.at) FROM orders_orderevent e
          WHERE e.order_id = c.order_id AND e.at >= i.at
            AND (e.kind IN ('confirmed', 'confirmation_failed', 'restocked')
                 OR e.kind = 'cancelled' AND e.actor = 'system')) - i.at)::float
  FROM interrupted i JOIN orders_confirmation c ON c.id = i.confirmation_id
"""


def times(database_url: str, journal: Sequence[dict[str, Any]]) -> list[float]:
    """Return the seconds of each recovery, shortest first."""
    killed = [
        (confirmation, each["at"])
        for each in journal
        if each["what"] == "kill"
        for confirmation in each["confirmations"]
    ]
    ids, moments = [key for key, _ in killed], [at for _, at in killed]
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(_SETTLED, [ids, moments]).fetchall()
    return sorted(float(seconds) for (seconds,) in rows if seconds is not None)


def quantile(sorted_seconds: Sequence[float], share: float) -> float | None:
    """Return the value below which that share lies; None when there are none."""
    if not sorted_seconds:
        return None
    return sorted_seconds[min(len(sorted_seconds) - 1, int(share * len(sorted_seconds)))]
