"""The dashboard's figures: a handful of statements, each cheap at a million orders.

A count stops at `MOST`, an age is the first entry of an index, and what must read more (a month of
orders, a week of failures) reads an index alone and is kept for a minute in this process. Each
statement has a deadline of its own, so that a slow database costs a figure and not the page.
"""

import time
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from inventory_client.errors import UNKNOWN_PRODUCT
from orders.queries import Count, within
from orders.status import IN_FLIGHT, UNSETTLED_STOCK, FailureReason, OrderStatus

MOST = 10_000  # what a count says at most
DEADLINE = 500  # milliseconds, of one statement
KEPT = 60  # seconds that what is dear is kept for
WORKER_BEATS_WITHIN = timedelta(seconds=30)  # three of procrastinate's heartbeats
LAST_CALLS = 1000  # stock calls at most that the inventory's health is told from
LAST_CALLS_WITHIN = timedelta(minutes=10)
# What an inventory service says that is well: it did as it was asked, or knows why not.
ANSWERS = ("applied", "insufficient_stock", UNKNOWN_PRODUCT)


@dataclass(frozen=True, slots=True)
class OpenOrders:
    """The orders that somebody has yet to do something about."""

    pending: Count
    oldest: datetime | None
    due: Count  # pending or confirmed, and placed before the due moment
    due_pending: Count
    due_confirmed: Count
    held: Count
    held_since: datetime | None


@dataclass(frozen=True, slots=True)
class StockQueues:
    """The orders whose stock is not clear, and the movements that wait for a person."""

    short: Count
    settling: Count
    settling_since: datetime | None
    review: Count
    review_since: datetime | None


@dataclass(frozen=True, slots=True)
class Day:
    """The orders placed on one day, as they stand now."""

    day: date
    kept: int
    cancelled: int
    revenue: Decimal  # of those kept, in the shop's currency
    foreign: int  # of those kept, how many are in another currency, and so not in the revenue


@dataclass(frozen=True, slots=True)
class Days:
    """The last days, today last, as they were counted a minute ago at most."""

    days: list[Day]
    currency: str
    counted_at: datetime


@dataclass(frozen=True, slots=True)
class Failures:
    """How many confirmations have failed since a moment, by the reason, the commonest first."""

    reasons: list[tuple[FailureReason, int]]
    days: list[tuple[date, int]]
    since: datetime
    counted_at: datetime


@dataclass(frozen=True, slots=True)
class Worker:
    """Whether there are workers, and what waits for them."""

    alive: int
    beaten_at: datetime | None  # by the last one that is known, alive or not
    jobs: Count
    due: Count
    due_since: datetime | None


@dataclass(frozen=True, slots=True)
class Calls:
    """What came of the last calls that change stock; durations in milliseconds."""

    ended: int
    answered: int
    half_within: float | None
    most_within: float | None  # 95 of 100
    troubles: list[tuple[str, int]]


# Counts and ages of what is open come from order_open_oldest: index-only, at most MOST + 1 entries
# each. Those on hold are few, and found by order_on_hold.
_OPEN_ORDERS = """
SELECT (SELECT count(*) FROM (SELECT 1 FROM orders_order
                               WHERE status = 'PENDING' LIMIT %(some)s) c),
       (SELECT min(created_at) FROM orders_order WHERE status = 'PENDING'),
       (SELECT count(*) FROM (SELECT 1 FROM orders_order
                               WHERE status = 'PENDING' AND created_at < %(due)s
                               LIMIT %(some)s) c),
       (SELECT count(*) FROM (SELECT 1 FROM orders_order
                               WHERE status = 'CONFIRMED' AND created_at < %(due)s
                               LIMIT %(some)s) c),
       held.number, held.since
  FROM (SELECT count(*) AS number, min(held_since) AS since
          FROM (SELECT held_since FROM orders_order WHERE hold_reason <> ''
                 ORDER BY number DESC LIMIT %(some)s) c) held
"""


def open_orders(due_before: datetime) -> OpenOrders:
    """Count what is pending or on hold, and what is open although placed before a moment."""
    [row] = _ask(_OPEN_ORDERS, due=due_before, some=MOST + 1)
    pending, oldest, due_pending, due_confirmed, held, held_since = row
    return OpenOrders(
        _count(pending),
        oldest,
        _count(due_pending + due_confirmed),
        _count(due_pending),
        _count(due_confirmed),
        _count(held),
        held_since,
    )


# order_stock_since and movement_review: partial indexes, which hold only what is not clear.
_STOCK_QUEUES = """
SELECT (SELECT count(*) FROM (SELECT 1 FROM orders_order
                               WHERE stock_state = 'short' LIMIT %(some)s) c),
       (SELECT count(*) FROM (SELECT 1 FROM orders_order
                               WHERE stock_state = 'settling' LIMIT %(some)s) c),
       (SELECT min(stock_since) FROM orders_order WHERE stock_state = 'settling'),
       (SELECT count(*) FROM (SELECT 1 FROM orders_stockmovement
                               WHERE state = 'review' LIMIT %(some)s) c),
       (SELECT min(resolved_at) FROM orders_stockmovement WHERE state = 'review')
"""


def stock_queues() -> StockQueues:
    """Count what waits for stock, for the ledger, and for a person."""
    [row] = _ask(_STOCK_QUEUES, some=MOST + 1)
    short, settling, settling_since, review, review_since = row
    return StockQueues(
        _count(short), _count(settling), settling_since, _count(review), review_since
    )


# Only a confirmation that is not settled has any, and a partial index holds those alone.
_IN_FLIGHT = """
SELECT movement.state, count(*)
  FROM orders_confirmation confirmation
  JOIN orders_stockmovement movement ON movement.confirmation_id = confirmation.id
 WHERE confirmation.state IN ('running', 'reversing')
   AND movement.state IN ('claimed', 'sent', 'unknown')
 GROUP BY movement.state
"""


def movements_in_flight() -> dict[str, int]:
    """Count the movements of stock that are under way, by state."""
    return {state.value: 0 for state in IN_FLIGHT} | dict(_ask(_IN_FLIGHT))


_BY_STATUS = "SELECT status, count(*) FROM orders_order GROUP BY status"


def by_status() -> dict[str, int]:
    """Count all orders by status, exactly; kept for a hundred times as long as it took."""
    known: dict[str, int] | None = cache.get(key := "figures.by_status")
    if known is not None:
        return known
    began = time.perf_counter()
    found = {status.value: 0 for status in OrderStatus} | dict(_ask(_BY_STATUS))
    cache.set(key, found, 100 * (time.perf_counter() - began))
    return found


# One index-only range of order_age a day, because a sum over ranges is cheaper than sorting
# every row into its day; and the days' borders, with their summer time, come from one place.
_BY_DAY = """
SELECT f.kept, f.cancelled, f.revenue, f.foreign_kept
  FROM unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[])
       WITH ORDINALITY AS day(begins, ends, place)
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE status <> 'CANCELLED') AS kept,
              count(*) FILTER (WHERE status = 'CANCELLED') AS cancelled,
              coalesce(sum(total) FILTER (WHERE status <> 'CANCELLED'
                                            AND currency = %(currency)s), 0) AS revenue,
              count(*) FILTER (WHERE status <> 'CANCELLED'
                                 AND currency <> %(currency)s) AS foreign_kept
         FROM orders_order
        WHERE created_at >= day.begins AND created_at < day.ends) f
 ORDER BY day.place
"""


def by_day(days: int) -> Days:
    """Return the last so many days of `settings.TIME_ZONE`, today last, kept for a minute."""
    dates, borders = _last(days)
    known: Days | None = cache.get(
        key := f"figures.days.{days}.{borders[0].timestamp()}.{settings.CURRENCY}"
    )
    if known is not None:
        return known
    rows = _ask(_BY_DAY, begins=borders[:-1], ends=borders[1:], currency=settings.CURRENCY)
    counted = [Day(day, *row) for day, row in zip(dates, rows, strict=True)]
    found = Days(counted, settings.CURRENCY, timezone.now())
    cache.set(key, found, KEPT)
    return found


# A row a reason and day; a day is its place among the midnights, from 1 on.
_FAILURES = """
SELECT failure, width_bucket(settled_at, %(begins)s::timestamptz[]), count(*)
  FROM orders_confirmation
 WHERE state = 'rejected' AND settled_at >= %(since)s
 GROUP BY 1, 2
"""


def failures(days: int) -> Failures:
    """Count why confirmations failed in the last so many days, today's among them; kept a minute.

    Reads confirmation_rejected alone.
    """
    dates, borders = _last(days)
    since = borders[0]
    known: Failures | None = cache.get(key := f"figures.failures.{days}.{since.timestamp()}")
    if known is not None:
        return known
    by_reason: Counter[FailureReason] = Counter()
    by_day: Counter[date] = Counter()
    for failure, place, number in _ask(_FAILURES, since=since, begins=borders[:-1]):
        by_reason[FailureReason(failure)] += number
        by_day[dates[place - 1]] += number
    reasons = sorted(by_reason.items(), key=lambda each: (-each[1], each[0]))
    found = Failures(reasons, [(day, by_day[day]) for day in dates], since, timezone.now())
    cache.set(key, found, KEPT)
    return found


# Procrastinate's tables are small: workers leave when they stop, and jobs when they are done.
# What is due is a confirmation whose time has come, and an order that a batch has yet to come to,
# since it was last done with any. One that waits for its stock is due as its confirmation.
_WORKER = """
WITH turns AS MATERIALIZED (
  SELECT e.batch_id FROM orders_batchentry e JOIN orders_order o ON o.number = e.order_id
   WHERE e.outcome = '' AND NOT o.stock_state = ANY(%(unsettled)s) LIMIT %(some)s)
SELECT (SELECT count(*) FROM procrastinate_workers
         WHERE last_heartbeat > clock_timestamp() - %(within)s),
       (SELECT max(last_heartbeat) FROM procrastinate_workers),
       (SELECT count(*) FROM (SELECT 1 FROM procrastinate_jobs
                               WHERE status = 'todo' LIMIT %(some)s) c),
       (SELECT count(*) FROM (SELECT 1 FROM orders_confirmation
                               WHERE state IN ('running', 'reversing')
                                 AND wake_at <= clock_timestamp() LIMIT %(some)s) c)
         + (SELECT count(*) FROM turns),
       least((SELECT min(wake_at) FROM orders_confirmation
               WHERE state IN ('running', 'reversing') AND wake_at <= clock_timestamp()),
             (SELECT min(greatest(b.created_at, (SELECT max(ended_at) FROM orders_batchentry
                                                  WHERE batch_id = b.id)))
                FROM orders_batch b WHERE b.id IN (SELECT batch_id FROM turns)))
"""


def worker() -> Worker:
    """Tell whether a worker has shown a sign of life lately, and what is due for it."""
    rows = _ask(_WORKER, within=WORKER_BEATS_WITHIN, some=MOST + 1, unsettled=list(UNSETTLED_STOCK))
    [(alive, beaten_at, jobs, due, due_since)] = rows
    return Worker(alive, beaten_at, _count(jobs), _count(due), due_since)


# The newest by key, so that no index by time is needed on a table that every call writes to.
_CALLS = """
WITH latest AS (
  SELECT outcome, extract(epoch FROM ended_at - sent_at)::float * 1000 AS took
    FROM (SELECT outcome, sent_at, ended_at FROM orders_stockattempt
           ORDER BY id DESC LIMIT %(some)s) newest
   WHERE sent_at > clock_timestamp() - %(within)s AND ended_at IS NOT NULL),
troubles AS (
  SELECT outcome, count(*) AS number FROM latest WHERE NOT outcome = ANY(%(answers)s)
   GROUP BY outcome)
SELECT count(*), count(*) FILTER (WHERE outcome = ANY(%(answers)s)),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY took),
       percentile_cont(0.95) WITHIN GROUP (ORDER BY took),
       (SELECT array_agg(ARRAY[outcome, number::text] ORDER BY number DESC, outcome)
          FROM troubles)
  FROM latest
"""


def calls() -> Calls:
    """Tell how the last calls that change stock went, as the ledger wrote it down."""
    [row] = _ask(_CALLS, some=LAST_CALLS, within=LAST_CALLS_WITHIN, answers=list(ANSWERS))
    ended, answered, half_within, most_within, troubles = row
    named = [(outcome, int(number)) for outcome, number in troubles or []]
    return Calls(ended, answered, half_within, most_within, named)


def midnight(day: date) -> datetime:
    """Return when a day of `settings.TIME_ZONE` begins."""
    return timezone.make_aware(datetime.combine(day, time_of_day.min))


def _last(days: int) -> tuple[list[date], list[datetime]]:
    """Return the last days, today last, and the midnights before, between and after them."""
    today = timezone.localdate()
    dates = [today - timedelta(days=back) for back in reversed(range(days))]
    return dates, [midnight(day) for day in (*dates, today + timedelta(days=1))]


def _count(number: int) -> Count:
    return Count.counted(number, most=MOST)


def _ask(statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """Return a statement's rows; raise `Unanswered` when they are not there by the deadline."""
    with within(DEADLINE), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
