"""The stock ledger's confirmations: opening, failing, reversing and closing them.

Lock order: order, confirmation, movements in key order. The caller (``orders.lifecycle``) holds the
order's lock and the transaction in which confirmation and order change together. `fail` and
`reverse` change a confirmation alone, in a transaction of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from inventory_client.errors import UNKNOWN_PRODUCT
from orders.errors import Shortage
from orders.models import Confirmation, StockMovement
from orders.status import ConfirmationState, FailureReason, MovementState
from orders.stock.protocol import Movement, Rows
from orderservice.postgresql import prepared

_ROWS = """
SELECT c.id, c.order_id, clock_timestamp(), c.state, c.checked_at IS NOT NULL,
       c.cancel_requested_at IS NOT NULL,
       m.id, m.product_id, m.delta, m.reverses_id, m.state, m.fence, m.tries,
       m.before_quantity, m.before_updated_at, m.not_before, m.lease_until, m.settles_at
  FROM orders_confirmation c
  LEFT JOIN orders_stockmovement m ON m.confirmation_id = c.id
 WHERE c.id = ANY(%s)
 ORDER BY c.id, m.product_id COLLATE "C"
"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A confirmation as it stands at ``now`` by the database's clock."""

    id: int
    rows: Rows
    now: datetime
    order_number: int


def load(confirmations: Sequence[int]) -> list[Loaded]:
    """Return confirmations, the oldest first, with their movements in the order they run.

    Raises `Confirmation.DoesNotExist` when one of them does not.
    """
    with prepared() as cursor:
        cursor.execute(_ROWS, [list(confirmations)])
        records: Any = cursor.fetchall()
    loaded = [_loaded(list(its)) for _, its in groupby(records, key=itemgetter(0))]
    if len(loaded) < len(confirmations):
        raise Confirmation.DoesNotExist
    return loaded


def _loaded(records: Sequence[Any]) -> Loaded:
    key, order_number, now, state, checked, cancel_requested = records[0][:6]
    movements = tuple(_movement(record[6:]) for record in records if record[6] is not None)
    rows = Rows(ConfirmationState(state), checked, cancel_requested, movements)
    return Loaded(key, rows, now, order_number)


def _movement(record: Sequence[Any]) -> Movement:
    columns = [*record[:4], MovementState(record[4]), *record[5:]]
    return Movement(*columns)


# Identities are given out in the order of the numbers, and a confirmation's identity is its place
# in line for scarce stock: oldest order first. What has a live confirmation already is left to it.
_OPEN = """
WITH opened AS (
  INSERT INTO orders_confirmation
         (order_id, batch_id, state, actor, via, failure, shortages, wake_at)
  SELECT number, %(batch)s, 'running', %(actor)s, %(via)s, '', '[]',
         clock_timestamp() + %(wake_in)s
    FROM unnest(%(numbers)s::bigint[]) AS number ORDER BY number
  ON CONFLICT DO NOTHING
  RETURNING id, order_id),
planned AS (
  INSERT INTO orders_stockmovement
         (id, confirmation_id, product_id, delta, state, exclusive, fence, tries, short_waits,
          rejection, resolved_by)
  SELECT gen_random_uuid(), o.id, i.product_id, -sum(i.quantity), 'planned', %(exclusive)s,
         0, 0, 0, '', ''
    FROM opened o JOIN orders_orderitem i ON i.order_id = o.order_id
   GROUP BY o.id, i.product_id)
SELECT order_id, id FROM opened
"""


def open_confirmations(
    numbers: Sequence[int],
    *,
    actor: str,
    via: str,
    batch_id: int | None = None,
    wake_in: timedelta = timedelta(0),
) -> dict[int, int]:
    """Open a confirmation an order, with one planned deduction a product, in one statement.

    The caller holds the orders' locks. ``wake_in`` is how long a worker leaves them to the caller.
    Returns the confirmations' keys by the orders' numbers, without those that had a live one.
    """
    parameters: Any = {
        "numbers": list(numbers),
        "batch": batch_id,
        "actor": actor,
        "via": via,
        "wake_in": wake_in,
        "exclusive": settings.INVENTORY_SERIALIZE_PRODUCTS,
    }
    with prepared() as cursor:
        cursor.execute(_OPEN, parameters)
        return dict(cursor.fetchall())


def needs(rows: Rows) -> dict[str, int]:
    """Return how many pieces of each product a confirmation takes."""
    return {movement.product_id: -movement.delta for movement in rows.deductions}


def mark_checked(confirmations: Sequence[int]) -> None:
    """Write down that the bulk check found enough of everything."""
    with prepared() as cursor:
        cursor.execute(
            "UPDATE orders_confirmation SET checked_at = clock_timestamp()"
            " WHERE id = ANY(%s) AND state = 'running' AND checked_at IS NULL",
            [list(confirmations)],
        )


def fail(confirmation_id: int, failure: FailureReason, shortages: Sequence[Shortage] = ()) -> None:
    """Give a running confirmation up, because its bulk check came to nothing.

    Not when another runner's check said yes meanwhile: what ours saw may be the stock that the
    other one has taken since, for this very order.
    """
    with transaction.atomic(durable=True):
        confirmation = Confirmation.objects.select_for_update().get(pk=confirmation_id)
        if confirmation.state == ConfirmationState.RUNNING and confirmation.checked_at is None:
            confirmation.failure = failure
            confirmation.shortages = [asdict(shortage) for shortage in shortages]
            confirmation.save(update_fields=["failure", "shortages"])
            plan_reversals(confirmation)


def reverse(confirmation_id: int) -> None:
    """Plan to give back what a rejected or cancelled confirmation has taken, and note why."""
    with transaction.atomic(durable=True):
        confirmation = Confirmation.objects.select_for_update().get(pk=confirmation_id)
        if confirmation.state not in (ConfirmationState.RUNNING, ConfirmationState.REVERSING):
            return
        if not confirmation.failure:
            confirmation.failure, shortages = _failure_of(confirmation)
            confirmation.shortages = [asdict(shortage) for shortage in shortages]
            confirmation.save(update_fields=["failure", "shortages"])
        plan_reversals(confirmation)


def plan_reversals(confirmation: Confirmation) -> None:
    """Void what was never sent, mirror what was applied; the caller holds the confirmation's lock.

    Can be repeated: a call that was in flight the first time is mirrored the next.
    """
    movements = StockMovement.objects.filter(confirmation=confirmation)
    movements.filter(state=MovementState.PLANNED, reverses=None).update(state=MovementState.VOID)
    applied = movements.filter(state=MovementState.APPLIED, reverses=None, reversal=None)
    StockMovement.objects.bulk_create(
        StockMovement(
            confirmation=confirmation,
            product_id=deduction.product_id,
            delta=-deduction.delta,
            reverses=deduction,
            exclusive=deduction.exclusive,
        )
        for deduction in applied.order_by("pk")
    )
    Confirmation.objects.filter(pk=confirmation.pk).update(state=ConfirmationState.REVERSING)


def _failure_of(confirmation: Confirmation) -> tuple[FailureReason, list[Shortage]]:
    """Return why a confirmation is being reversed, and the products that were short."""
    rejected = list(confirmation.movements.filter(state=MovementState.REJECTED))
    if not rejected:
        return FailureReason.CANCELLED, []
    short = [m for m in rejected if m.rejection in ("insufficient_stock", UNKNOWN_PRODUCT)]
    if not short:
        return FailureReason.INVENTORY_REFUSED, []
    return FailureReason.INSUFFICIENT_STOCK, [
        Shortage(m.product_id, -m.delta, m.before_quantity or 0) for m in short
    ]


def close(confirmations: Sequence[Confirmation], to: ConfirmationState) -> None:
    """Close confirmations; the caller holds their locks and changes the orders with them."""
    with prepared() as cursor:
        cursor.execute(
            "UPDATE orders_confirmation SET state = %s, settled_at = clock_timestamp()"
            " WHERE id = ANY(%s)",
            [to, [confirmation.pk for confirmation in confirmations]],
        )
    for confirmation in confirmations:
        confirmation.state = to


def request_cancel(confirmation: Confirmation) -> None:
    """Ask a running confirmation to give everything back; a call in flight settles first."""
    _execute(
        """
        UPDATE orders_confirmation
           SET cancel_requested_at = clock_timestamp(),
               wake_at = clock_timestamp()
         WHERE id = %s
        """,
        confirmation.pk,
    )


def wake(confirmation_id: int) -> None:
    """Have a worker look at once."""
    _execute(
        "UPDATE orders_confirmation SET wake_at = clock_timestamp() WHERE id = %s", confirmation_id
    )


def sleep(until: Mapping[int, datetime]) -> None:
    """Leave confirmations alone, each until a time of the database's clock.

    What is due already stays so: somebody woke it after we had looked.
    """
    with prepared() as cursor:
        cursor.execute(
            """
            UPDATE orders_confirmation c SET wake_at = u.wake_at
              FROM unnest(%s::bigint[], %s::timestamptz[]) AS u (id, wake_at)
             WHERE c.id = u.id AND c.wake_at > clock_timestamp()
            """,
            [list(until), list(until.values())],
        )


# Who is due longest, not who is oldest: old ones that wait for something come up again and again,
# and would keep the workers from the very one that they wait for. Scarce stock still goes to the
# oldest, because the younger yield to them once they have claimed the product.
# But first, for the same reason, who holds a product that others may be waiting for, and who gives
# stock back: what a dead worker held is free again only once its confirmation has had its turn.
_TAKE_DUE = """
WITH holding AS MATERIALIZED (
  SELECT id, wake_at FROM orders_confirmation
   WHERE id IN (SELECT confirmation_id FROM orders_stockmovement
                 WHERE exclusive AND state IN ('claimed', 'sent', 'unknown'))
     AND state IN ('running', 'reversing') AND wake_at <= clock_timestamp()
   ORDER BY wake_at, id LIMIT %(most)s FOR UPDATE SKIP LOCKED),
giving_back AS MATERIALIZED (
  SELECT id, wake_at FROM orders_confirmation
   WHERE state = 'reversing' AND wake_at <= clock_timestamp()
   ORDER BY wake_at, id LIMIT %(most)s FOR UPDATE SKIP LOCKED),
waiting AS MATERIALIZED (
  SELECT id, wake_at FROM orders_confirmation
   WHERE state IN ('running', 'reversing') AND wake_at <= clock_timestamp()
   ORDER BY wake_at, id LIMIT %(most)s FOR UPDATE SKIP LOCKED),
line AS (
  SELECT id FROM (SELECT *, 1 AS turn FROM holding UNION ALL SELECT *, 2 FROM giving_back
                  UNION ALL SELECT *, 3 FROM waiting) AS due
   GROUP BY id, wake_at ORDER BY min(turn), wake_at, id LIMIT %(most)s)
UPDATE orders_confirmation SET wake_at = clock_timestamp() + %(hold)s
 WHERE id IN (SELECT id FROM line)
RETURNING id
"""


def take_due(hold: timedelta, most: int) -> list[int]:
    """Take whose turn it is, at most so many, so that no other worker does for ``hold``."""
    with prepared() as cursor:
        parameters: Any = {"hold": hold, "most": most}
        cursor.execute(_TAKE_DUE, parameters)
        return sorted(key for (key,) in cursor.fetchall())


def next_due_in() -> float | None:
    """Return in how many seconds the next confirmation is due; None when all is settled."""
    with prepared() as cursor:
        cursor.execute(
            """
            SELECT extract(epoch FROM min(wake_at) - clock_timestamp())::float
              FROM orders_confirmation WHERE state IN ('running', 'reversing')
            """
        )
        seconds = cursor.fetchone()[0]
    return None if seconds is None else max(0.0, seconds)


def _execute(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
