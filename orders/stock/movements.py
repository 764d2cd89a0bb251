"""The ledger's movements: each protocol transition is one statement, and checked.

Every transition names the state and the fence that it starts from and must change exactly one row;
anything else means that somebody else took the movement over, and raises `LostMovement`. All times
are the database's ``clock_timestamp()``, so that no two processes can disagree about a lease.
No statement here runs inside a transaction that is open during a call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, OperationalError, connection
from psycopg.errors import DeadlockDetected, UniqueViolation

from orders.status import MovementState
from orders.stock import timing
from orders.stock.protocol import Movement
from orderservice.postgresql import prepared


class LostMovement(Exception):
    """Somebody else took the movement over; whatever we know of it is only evidence now."""


def transition(
    statement: str, parameters: dict[str, Any], *, rows: int = 1, is_usual: bool = False
) -> None:
    """Run a transition that must change exactly its rows; raise `LostMovement` when it does not.

    Those rows that were not lost have changed all the same. A usual one, which every movement goes
    through, is planned once a connection.
    """
    with prepared() if is_usual else connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        if cursor.rowcount != rows:
            raise LostMovement


def reason(order_number: int, movement_id: UUID) -> str:
    """Return what the movement's calls say of themselves, for people to find them upstream."""
    return f"order:{order_number} movement:{movement_id}"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A movement that is ours: its new fence, and how many pieces earlier orders still want."""

    movement: Movement
    fence: int
    wanted_before: int


# The mutex itself is the unique index; NOT EXISTS only spares it most of the collisions. Stock
# that is on its way back goes first, so that whoever waits for it finds it.
_CLAIM = """
UPDATE orders_stockmovement m
   SET state = 'claimed', fence = m.fence + 1, lease_until = clock_timestamp() + %(lease)s
  FROM unnest(%(ids)s::uuid[], %(fences)s::integer[]) AS wanted (id, fence)
 WHERE m.id = wanted.id AND m.state = 'planned' AND m.fence = wanted.fence
   AND NOT EXISTS (SELECT 1 FROM orders_stockmovement o
                    WHERE o.product_id = m.product_id AND o.exclusive AND m.exclusive
                      AND o.state IN ('claimed', 'sent', 'unknown'))
   AND (m.delta > 0
        OR (EXISTS (SELECT 1 FROM orders_confirmation c
                     WHERE c.id = m.confirmation_id AND c.state = 'running'
                       AND c.cancel_requested_at IS NULL)
            AND NOT EXISTS (SELECT 1 FROM orders_stockmovement o
                             WHERE o.product_id = m.product_id AND o.state = 'planned'
                               AND o.delta > 0
                               AND (o.not_before IS NULL OR o.not_before <= clock_timestamp()))))
RETURNING m.id, m.fence,
  (SELECT coalesce(-sum(o.delta), 0)
     FROM orders_stockmovement o JOIN orders_confirmation c ON c.id = o.confirmation_id
    WHERE o.product_id = m.product_id AND o.state = 'planned' AND o.delta < 0
      AND o.confirmation_id < m.confirmation_id
      AND c.state = 'running' AND c.cancel_requested_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM orders_stockmovement r
                       WHERE r.confirmation_id = c.id AND r.state = 'review'))
"""


def claim(wanted: Sequence[Movement]) -> list[Claimed]:
    """Take the products' mutexes for planned movements of different products.

    Returns those that are ours now; somebody else has the products of the others.
    """
    of = {movement.id: movement for movement in wanted}
    parameters: Any = {
        "ids": list(of),
        "fences": [movement.fence for movement in wanted],
        "lease": timing.lease(),
    }
    with prepared() as cursor:
        try:
            cursor.execute(_CLAIM, parameters)
        except (IntegrityError, OperationalError) as exc:
            # one_in_flight_per_product: somebody was a moment faster with one of them. Or two sets
            # that took the same products in different orders waited for each other.
            if not isinstance(exc.__cause__, UniqueViolation | DeadlockDetected):
                raise
            return [each for movement in wanted for each in claim([movement])] if wanted[1:] else []
        return [Claimed(of[key], fence, before) for key, fence, before in cursor.fetchall()]


# Asking again costs work, so whoever stands far back in the line for a product asks less often, and
# for the product of an unknown outcome nobody asks before that can be read back. Otherwise those
# who wait keep every worker busy, and what could go on does not.
_BUSY_FOR = """
SELECT m.id, greatest(
  %(busy)s + %(place)s * (SELECT count(*) FROM orders_stockmovement p
                           WHERE p.product_id = m.product_id AND p.state = 'planned'
                             AND p.confirmation_id < m.confirmation_id AND m.delta < 0),
  (SELECT max(o.settles_at) - clock_timestamp() FROM orders_stockmovement o
    WHERE o.product_id = m.product_id AND o.exclusive AND m.exclusive AND o.state = 'unknown'))
  FROM orders_stockmovement m WHERE m.id = ANY(%(ids)s)
"""


def busy_for(waiting: Sequence[Movement]) -> dict[UUID, timedelta]:
    """Return how long each is to leave its product alone, which another has or is to have first."""
    parameters: Any = {
        "ids": [movement.id for movement in waiting],
        "busy": timedelta(seconds=timing.BUSY_PRODUCT),
        "place": timedelta(seconds=timing.BUSY_PLACE),
    }
    with connection.cursor() as cursor:
        cursor.execute(_BUSY_FOR, parameters)
        return dict(cursor.fetchall())


def release(movement_id: UUID, fence: int, *, delay: timedelta) -> None:
    """Give a claimed movement back unsent, to be claimed again after ``delay``."""
    transition(
        """
        UPDATE orders_stockmovement
           SET state = 'planned', lease_until = NULL, tries = tries + 1,
               not_before = clock_timestamp() + %(delay)s
         WHERE id = %(id)s AND state = 'claimed' AND fence = %(fence)s
        """,
        {"id": movement_id, "fence": fence, "delay": delay},
    )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A claimed movement, and the stock of its product as it was read since."""

    movement: Movement
    fence: int
    quantity: int | None = None
    updated_at: str | None = None


_SEND = """
WITH sent AS (
  UPDATE orders_stockmovement m
     SET state = 'sent', tries = m.tries + 1, sent_at = clock_timestamp(),
         lease_until = clock_timestamp() + %(lease)s,
         settles_at = clock_timestamp() + %(settle)s,
         before_quantity = coalesce(read.quantity, m.before_quantity),
         before_updated_at = coalesce(read.updated_at, m.before_updated_at)
    FROM unnest(%(ids)s::uuid[], %(fences)s::integer[], %(quantities)s::bigint[],
                %(updated_at)s::text[]) AS read (id, fence, quantity, updated_at)
   WHERE m.id = read.id AND m.fence = read.fence AND m.state IN ('claimed', 'unknown')
  RETURNING m.id, m.fence)
INSERT INTO orders_stockattempt (movement_id, fence, outcome, trace_id)
SELECT id, fence, '', '' FROM sent
RETURNING movement_id
"""


def write_ahead(snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    """Write down that calls are on their way, with the stock as it was before; then they may be.

    Returns those that were written down; the others somebody else took over.
    """
    of = {snapshot.movement.id: snapshot for snapshot in snapshots}
    parameters: Any = {
        "ids": list(of),
        "fences": [snapshot.fence for snapshot in snapshots],
        "quantities": [snapshot.quantity for snapshot in snapshots],
        "updated_at": [snapshot.updated_at for snapshot in snapshots],
        "lease": timing.lease(),
        "settle": timing.settle(),
    }
    with prepared() as cursor:
        cursor.execute(_SEND, parameters)
        return [of[key] for (key,) in cursor.fetchall()]


def recover(movement: Movement, to: MovementState) -> None:
    """Take a movement from a holder whose lease is over; the fence shuts the holder out."""
    transition(
        """
        UPDATE orders_stockmovement
           SET state = %(to)s, fence = fence + 1, lease_until = NULL
         WHERE id = %(id)s AND state = %(from_state)s AND fence = %(fence)s
           AND lease_until <= clock_timestamp()
        """,
        {"id": movement.id, "fence": movement.fence, "from_state": movement.state, "to": to},
    )


def begin_read_back(movement: Movement) -> int:
    """Take a settled unknown movement, for one reader at a time; return the new fence."""
    transition(
        """
        UPDATE orders_stockmovement
           SET fence = fence + 1, lease_until = clock_timestamp() + %(lease)s
         WHERE id = %(id)s AND state = 'unknown' AND fence = %(fence)s
           AND settles_at <= clock_timestamp()
        """,
        {"id": movement.id, "fence": movement.fence, "lease": timing.lease()},
    )
    return movement.fence + 1


def resolve_unknown(
    movement_id: UUID,
    fence: int,
    to: MovementState,
    *,
    quantity: int | None = None,
    updated_at: str | None = None,
) -> None:
    """Close an unknown outcome: applied, planned again, or up to a person (``review``)."""
    transition(
        """
        UPDATE orders_stockmovement
           SET state = %(to)s, lease_until = NULL, settles_at = NULL, not_before = NULL,
               after_quantity = %(quantity)s, after_updated_at = %(updated_at)s,
               resolved_at = CASE WHEN %(to)s = 'planned' THEN NULL ELSE clock_timestamp() END,
               resolved_by = CASE WHEN %(to)s = 'applied' THEN 'readback' ELSE '' END
         WHERE id = %(id)s AND state = 'unknown' AND fence = %(fence)s
        """,
        {
            "id": movement_id,
            "fence": fence,
            "to": to,
            "quantity": quantity,
            "updated_at": updated_at,
        },
    )


def postpone_read_back(movement_id: UUID, fence: int, *, delay: timedelta) -> None:
    """Leave an unknown outcome for later, because the stock can't be read now."""
    transition(
        """
        UPDATE orders_stockmovement
           SET lease_until = NULL, tries = tries + 1,
               settles_at = clock_timestamp() + %(delay)s
         WHERE id = %(id)s AND state = 'unknown' AND fence = %(fence)s
        """,
        {"id": movement_id, "fence": fence, "delay": delay},
    )


def decide(
    movement_id: UUID, to: MovementState, *, by: str, expected_fence: int | None = None
) -> None:
    """Close a review as a person decided: ``applied``, or ``planned`` to be done again."""
    transition(
        """
        UPDATE orders_stockmovement
           SET state = %(to)s, fence = fence + 1, not_before = NULL, rejection = '',
               resolved_at = CASE WHEN %(to)s = 'planned' THEN NULL ELSE clock_timestamp() END,
               resolved_by = %(by)s
         WHERE id = %(id)s AND state = 'review' AND fence = coalesce(%(fence)s, fence)
        """,
        {"id": movement_id, "to": to, "by": by, "fence": expected_fence},
    )
