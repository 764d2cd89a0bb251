"""Deleting what nobody needs any more, so much a transaction that nobody has to wait for it.

`orders.retention` says what is kept for how long. Any number may prune at once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from orders import retention, throttling
from orders.models import IdempotencyKey
from orders.signin import lockout

AT_ONCE = 2_000  # rows of a transaction


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows of a kind were deleted by one transaction, or would be by all."""

    kind: str
    rows: int


def prune(*, dry_run: bool = False) -> Iterator[Pruned]:
    """Delete all that is kept for long enough; yield what each transaction has deleted.

    Whoever stops in between can begin anew. A ``dry_run`` counts, and deletes nothing.
    """
    for kind, stale in _STALE.items():
        if dry_run:
            yield Pruned(kind, stale().count())
        else:
            yield from (Pruned(kind, rows) for rows in _delete(stale()))
    for kind, walk in _WALKS.items():
        yield from (Pruned(kind, rows) for rows in _walk(*walk, dry_run=dry_run))


def _idempotency_keys() -> QuerySet[IdempotencyKey]:
    return IdempotencyKey.objects.filter(expires_at__lt=timezone.now()).order_by("expires_at")


def _sessions() -> QuerySet[Session]:
    return Session.objects.filter(expire_date__lt=timezone.now()).order_by("expire_date")


# What an index finds by its time.
_STALE: dict[str, Callable[[], QuerySet[Any]]] = {
    "idempotency keys": _idempotency_keys,
    "sessions": _sessions,
    "failed sign-ins": lockout.stale,
    "rate counts": throttling.stale,
}


def _delete(stale: QuerySet[Any]) -> Iterator[int]:
    """Delete rows, and pass by what somebody holds: that is for the next time."""
    rows = AT_ONCE
    while rows == AT_ONCE:
        with transaction.atomic(durable=True):
            locked = stale.select_for_update(skip_locked=True).values_list("pk", flat=True)
            rows, _ = stale.model.objects.filter(pk__in=list(locked[:AT_ONCE])).delete()
        yield rows


# What has no index by time, but a key that grows with it. Each statement looks at so many rows
# beyond a key, and tells up to which one it has looked, and how many were old enough to go.
_JOBS = """
    WITH looked_at AS (
        SELECT id, status FROM procrastinate_jobs WHERE id > %(after)s ORDER BY id LIMIT %(most)s
    ), stale AS (
        SELECT id FROM looked_at
         WHERE status IN ('succeeded', 'failed', 'cancelled', 'aborted')
           AND NOT EXISTS (SELECT FROM procrastinate_events event
                            WHERE event.job_id = looked_at.id AND event.at >= %(before)s)
    ), gone AS ({gone})
    SELECT (SELECT max(id) FROM looked_at), (SELECT count(*) FROM gone)
"""

# Every call may be needed of a movement that is not at rest, or of a confirmation that goes on; and
# what a person has decided, they have decided by these. It ends at the first rows that are young:
# to look for the last old one would be to read them all.
_ATTEMPTS = """
    WITH looked_at AS (
        SELECT id, movement_id, sent_at FROM orders_stockattempt
         WHERE id > %(after)s ORDER BY id LIMIT %(most)s
    ), stale AS (
        SELECT looked_at.id
          FROM looked_at
          JOIN orders_stockmovement movement ON movement.id = looked_at.movement_id
          JOIN orders_confirmation confirmation ON confirmation.id = movement.confirmation_id
         WHERE looked_at.sent_at < %(before)s
           AND movement.state IN ('applied', 'rejected', 'void')
           AND confirmation.state NOT IN ('running', 'reversing')
           AND NOT EXISTS (SELECT FROM orders_orderevent event
                            WHERE event.order_id = confirmation.order_id
                              AND event.kind = 'review_resolved'
                              AND event.data ->> 'movement' = movement.id::text)
    ), gone AS ({gone})
    SELECT (SELECT max(id) FROM looked_at WHERE sent_at < %(before)s), (SELECT count(*) FROM gone)
"""

_WALKS = {
    "jobs": (_JOBS, "procrastinate_jobs", retention.FINISHED_JOBS),
    "stock attempts": (_ATTEMPTS, "orders_stockattempt", retention.STOCK_ATTEMPTS),
}


def _walk(statement: str, table: str, kept: timedelta, *, dry_run: bool) -> Iterator[int]:
    stale = "SELECT id FROM stale"
    gone = stale if dry_run else f"DELETE FROM {table} WHERE id IN ({stale}) RETURNING id"  # noqa: S608 - our own words
    before = timezone.now() - kept
    after: int | None = 0
    while after is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                statement.format(gone=gone), {"after": after, "before": before, "most": AT_ONCE}
            )
            after, rows = cursor.fetchone()
        yield rows
