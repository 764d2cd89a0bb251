"""What a call that changes stock came to, as the ledger writes it down.

The attempt keeps what came back even when the movement has been lost to somebody else meanwhile:
for a person at the review desk it is evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from orders.status import MovementState
from orders.stock import timing
from orders.stock.movements import transition

LONGEST_TRACE_ID = 128
_OUTCOME = """
WITH attempt AS (
  UPDATE orders_stockattempt
     SET ended_at = clock_timestamp(), outcome = %(outcome)s, http_status = %(http_status)s,
         trace_id = %(trace_id)s
   WHERE movement_id = %(id)s AND fence = %(fence)s)
"""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a call gave: the error's code, the HTTP status, the trace id."""

    outcome: str
    http_status: int | None = None
    trace_id: str = ""

    def parameters(self, movement_id: UUID, fence: int) -> dict[str, Any]:
        """Return this as the parameters of `_OUTCOME`."""
        return {
            "id": movement_id,
            "fence": fence,
            "outcome": self.outcome,
            "http_status": self.http_status,
            "trace_id": self.trace_id[:LONGEST_TRACE_ID],
        }


@dataclass(frozen=True, slots=True)
class Applied:
    """A movement that was applied; ``by`` is what proved it.

    ``quantity`` is the stock after it, and ``updated_at`` when the inventory says that it changed.
    """

    movement_id: UUID
    fence: int
    quantity: int
    updated_at: str | None
    trace_id: str
    by: str


_APPLIED = """
WITH applied AS (
  SELECT * FROM unnest(%(ids)s::uuid[], %(fences)s::integer[], %(quantities)s::bigint[],
                       %(times)s::text[], %(trace_ids)s::text[], %(by)s::text[])
                  AS a (id, fence, quantity, updated_at, trace_id, by)),
attempt AS (
  UPDATE orders_stockattempt t
     SET ended_at = clock_timestamp(), outcome = 'applied', http_status = 200,
         trace_id = a.trace_id
    FROM applied a WHERE t.movement_id = a.id AND t.fence = a.fence)
UPDATE orders_stockmovement m
   SET state = 'applied', lease_until = NULL, after_quantity = a.quantity,
       after_updated_at = a.updated_at, resolved_at = clock_timestamp(), resolved_by = a.by
  FROM applied a WHERE m.id = a.id AND m.fence = a.fence AND m.state = 'sent'
"""


def record_applied(applied: Sequence[Applied]) -> None:
    """Write down that the upstream applied the movements."""
    transition(
        _APPLIED,
        {
            "ids": [each.movement_id for each in applied],
            "fences": [each.fence for each in applied],
            "quantities": [each.quantity for each in applied],
            "times": [each.updated_at for each in applied],
            "trace_ids": [each.trace_id[:LONGEST_TRACE_ID] for each in applied],
            "by": [each.by for each in applied],
        },
        rows=len(applied),
        is_usual=True,
    )


def record_not_yet(movement_id: UUID, fence: int, evidence: Evidence, *, delay: timedelta) -> None:
    """Write down that nothing was applied and that it may be asked again after ``delay``."""
    transition(
        _OUTCOME
        + """
        UPDATE orders_stockmovement
           SET state = 'planned', lease_until = NULL, settles_at = NULL,
               not_before = clock_timestamp() + %(delay)s
         WHERE id = %(id)s AND state = 'sent' AND fence = %(fence)s
        """,
        evidence.parameters(movement_id, fence) | {"delay": delay},
    )


def record_unknown(movement_id: UUID, fence: int, evidence: Evidence, *, delay: timedelta) -> None:
    """Write down that there is no proof either way; the product stays locked until there is."""
    transition(
        _OUTCOME
        + """
        UPDATE orders_stockmovement
           SET state = 'unknown', lease_until = NULL,
               settles_at = greatest(settles_at, clock_timestamp() + %(delay)s)
         WHERE id = %(id)s AND state = 'sent' AND fence = %(fence)s
        """,
        evidence.parameters(movement_id, fence) | {"delay": delay},
    )


# A definite "no" is final, but for two cases. Stock that another order is about to give back is
# waited for, three times at most. A reversal can't be given up: a person must see to it.
_REJECT = """
UPDATE orders_stockmovement m
   SET lease_until = NULL, settles_at = NULL, rejection = %(code)s,
       before_quantity = coalesce(%(available)s, before_quantity),
       short_waits = m.short_waits + 1,
       not_before = clock_timestamp() + %(wait)s,
       resolved_at = CASE WHEN w.worthwhile THEN NULL ELSE clock_timestamp() END,
       resolved_by = CASE WHEN w.worthwhile THEN '' ELSE %(by)s END,
       state = CASE WHEN w.worthwhile THEN 'planned' WHEN m.delta > 0 THEN 'review'
                    ELSE 'rejected' END
  FROM (SELECT p.id, p.delta < 0 AND p.short_waits < 3 AND %(code)s = 'insufficient_stock'
               AND EXISTS (SELECT 1 FROM orders_stockmovement o
                            WHERE o.product_id = p.product_id AND o.delta > 0
                              AND o.state IN ('planned', 'claimed', 'sent')) AS worthwhile
          FROM orders_stockmovement p WHERE p.id = %(id)s) w
 WHERE m.id = w.id AND m.state = %(from_state)s AND m.fence = %(fence)s
"""


def record_rejected(
    movement_id: UUID, fence: int, evidence: Evidence, *, available: int | None
) -> None:
    """Write down that the upstream provably did not apply the movement and would not."""
    transition(
        _OUTCOME + _REJECT,
        evidence.parameters(movement_id, fence)
        | {
            "code": evidence.outcome,
            "available": available,
            "from_state": MovementState.SENT,
            "by": "response",
            "wait": timedelta(seconds=timing.WAIT_FOR_REVERSAL),
        },
    )


def reject_unsent(movement_id: UUID, fence: int, *, code: str, available: int | None) -> None:
    """Give up a claimed movement that the snapshot shows to be hopeless; nothing was sent."""
    transition(
        _REJECT,
        {
            "id": movement_id,
            "fence": fence,
            "code": code,
            "available": available,
            "from_state": MovementState.CLAIMED,
            "by": "snapshot",
            "wait": timedelta(seconds=timing.WAIT_FOR_REVERSAL),
        },
    )
