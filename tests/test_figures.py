"""The dashboard's figures against rows made by hand: borders of days, what counts, its cost."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from orders import figures
from orders.models import Batch, BatchEntry, Confirmation, StockAttempt, StockMovement
from orders.queries import Count, Unanswered
from orders.status import FailureReason
from tests.factories import order

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the patience that a busy machine needs."""
    monkeypatch.setattr(figures, "DEADLINE", 10_000)


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


def confirmation(**fields: Any) -> Confirmation:
    return Confirmation.objects.create(
        **{"order": order(), "actor": "system", "via": "api", "state": "rejected"} | fields
    )


def movement(**fields: Any) -> StockMovement:
    return StockMovement.objects.create(
        **{"confirmation": confirmation(), "product_id": "10", "delta": -1} | fields
    )


# --- open orders ---------------------------------------------------------------------------------


def test_open_orders_count_the_pending_and_those_placed_before_the_due_moment() -> None:
    due = ago(hours=24)
    oldest = order(created_at=due - timedelta(hours=9))
    order(created_at=due - timedelta(seconds=1), status="CONFIRMED")
    order(created_at=due)
    order(created_at=due + timedelta(seconds=1), status="CONFIRMED")
    for closed in ("COMPLETED", "CANCELLED"):
        order(created_at=due - timedelta(days=9), status=closed)

    held = order(hold_reason="payment", held_since=ago(hours=1))

    seen = figures.open_orders(due)

    assert (seen.pending, seen.oldest) == (3, oldest.created_at)
    assert (seen.due_pending, seen.due_confirmed) == (1, 1)
    assert (seen.held, seen.held_since) == (1, held.held_since)


def test_open_orders_of_an_empty_shop_are_none() -> None:
    none = Count(0)
    seen = figures.open_orders(timezone.now())
    assert seen == figures.OpenOrders(none, None, none, none, none, none, None)


def test_count_stops_at_the_most_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "MOST", 2)
    for wanted in ("1", "2", "2+", "2+"):
        order()
        assert figures.open_orders(ago(hours=1)).pending.briefly == wanted


# --- stock ---------------------------------------------------------------------------------------


def test_stock_queues_count_each_state_and_tell_since_when() -> None:
    order()
    order(stock_state="short")
    order(stock_state="review")
    since = ago(minutes=9)
    order(stock_state="settling", stock_since=since)
    order(stock_state="settling", stock_since=ago(minutes=1))
    reviewed = ago(hours=2)
    movement(state="review", resolved_at=reviewed)
    movement(state="applied", resolved_at=ago(days=3))

    seen = figures.stock_queues()

    assert (seen.short, seen.settling, seen.settling_since) == (1, 2, since)
    assert (seen.review, seen.review_since) == (1, reviewed)


# --- days ----------------------------------------------------------------------------------------


def test_day_begins_at_midnight_of_the_time_zone(settings: Settings) -> None:
    settings.TIME_ZONE = "Asia/Phnom_Penh"
    today = timezone.localdate()
    midnight = figures.midnight(today)
    assert midnight.astimezone(UTC).hour == 17
    order(created_at=midnight - timedelta(microseconds=1), total=Decimal("1.10"))
    order(created_at=midnight, total=Decimal("20.05"))
    order(created_at=midnight + timedelta(days=1), total=Decimal("300.00"))

    days = figures.by_day(2).days

    assert [(day.day, day.kept, day.revenue) for day in days] == [
        (today - timedelta(days=1), 1, Decimal("1.10")),
        (today, 1, Decimal("20.05")),
    ]


def test_day_has_25_hours_when_the_clock_goes_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TIME_ZONE = "America/New_York"
    monkeypatch.setattr(timezone, "localdate", lambda: date(2026, 11, 1))
    first, last = (datetime(2026, 11, 1, 4, tzinfo=UTC), datetime(2026, 11, 2, 4, 59, tzinfo=UTC))
    for moment in (first, last, last + timedelta(minutes=1)):
        order(created_at=moment)
    assert [day.kept for day in figures.by_day(1).days] == [2]


def test_day_leaves_cancelled_orders_and_other_currencies_out_of_the_revenue() -> None:
    now = timezone.now()
    for status in ("PENDING", "CONFIRMED", "COMPLETED", "CANCELLED"):
        order(created_at=now, status=status, total=Decimal("10.00"))
    order(created_at=now, currency="KHR", total=Decimal("40000.00"))
    order(created_at=now, currency="KHR", status="CANCELLED", total=Decimal("8.00"))

    [day] = figures.by_day(1).days

    assert (day.kept, day.cancelled, day.foreign) == (4, 2, 1)
    assert day.revenue == Decimal("30.00")


def test_day_without_orders_is_there_with_zeros() -> None:
    days = figures.by_day(30).days
    assert len(days) == 30
    assert days[0].day == timezone.localdate() - timedelta(days=29)
    assert {(day.kept, day.cancelled, day.revenue, day.foreign) for day in days} == {
        (0, 0, Decimal(0), 0)
    }


def test_days_and_failures_are_asked_once_a_minute() -> None:
    figures.by_day(30)
    figures.failures(7)
    order()
    confirmation(failure="inventory_refused", settled_at=timezone.now())
    with CaptureQueriesContext(connection) as queries:
        assert figures.by_day(30).days[-1].kept == 0
        assert figures.failures(7).reasons == []
    assert len(queries) == 0
    cache.clear()
    assert figures.by_day(30).days[-1].kept == 2
    assert figures.failures(7).reasons == [(FailureReason.INVENTORY_REFUSED, 1)]


# --- confirmations -------------------------------------------------------------------------------


def test_failures_are_those_rejected_in_the_last_days_the_commonest_first() -> None:
    first = figures.midnight(timezone.localdate() - timedelta(days=6))
    confirmation(failure="insufficient_stock", settled_at=first)
    confirmation(failure="insufficient_stock", settled_at=first - timedelta(microseconds=1))
    for _ in range(2):
        confirmation(failure="inventory_unavailable", settled_at=timezone.now())
    confirmation(failure="cancelled", state="cancelled", settled_at=timezone.now())
    confirmation(state="running", failure="insufficient_stock")

    seen = figures.failures(7)

    assert seen.since == first
    assert [number for _, number in seen.days] == [1, 0, 0, 0, 0, 0, 2]
    assert seen.days[0][0] == timezone.localdate() - timedelta(days=6)
    assert seen.reasons == [
        (FailureReason.INVENTORY_UNAVAILABLE, 2),
        (FailureReason.INSUFFICIENT_STOCK, 1),
    ]


# --- the worker ----------------------------------------------------------------------------------


def beat(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (clock_timestamp() - make_interval(secs => %s))",
            [seconds],
        )


def test_worker_is_alive_while_it_beats() -> None:
    assert figures.worker() == figures.Worker(0, None, Count(0), Count(0), None)
    beat(60)
    seen = figures.worker()
    assert seen.alive == 0
    assert seen.beaten_at is not None
    assert timedelta(seconds=59) < timezone.now() - seen.beaten_at < timedelta(seconds=90)
    beat(1)
    beat(2)
    assert figures.worker().alive == 2


def test_worker_is_told_what_is_due_and_what_is_queued() -> None:
    due = ago(minutes=3)
    confirmation(state="running", wake_at=due)
    confirmation(state="reversing", wake_at=ago(minutes=1))
    confirmation(state="running", wake_at=ago(minutes=-5))
    confirmation(state="confirmed", wake_at=ago(minutes=9))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status)"
            " VALUES ('q', 't', 'todo'), ('q', 't', 'doing')"
        )
    seen = figures.worker()
    assert (seen.due, seen.due_since, seen.jobs) == (2, due, 1)


def test_worker_is_told_since_when_a_batch_stands_still() -> None:
    """An order of it that waits for its stock, or for a person, is waited for elsewhere."""
    opened = ago(minutes=9)
    batch = Batch.objects.create(
        verb="cancel", actor="a", via="admin", selected=4, created_at=opened
    )
    orders = [order() for _ in range(2)]
    orders += [order(stock_state="settling"), order(stock_state="review")]
    for each in orders:
        BatchEntry.objects.create(batch=batch, order=each)
    seen = figures.worker()
    assert (seen.due, seen.due_since) == (2, opened)

    ended = ago(minutes=5)
    batch.entries.filter(order=orders[0]).update(outcome="done", ended_at=ended)
    due = ago(minutes=3)
    confirmation(state="running", wake_at=due)
    seen = figures.worker()
    assert (seen.due, seen.due_since) == (2, ended)

    batch.entries.filter(order=orders[1]).update(outcome="refused", ended_at=ended)
    seen = figures.worker()
    assert (seen.due, seen.due_since) == (1, due)


# --- the inventory -------------------------------------------------------------------------------


def attempt(milliseconds: float | None, outcome: str, *, minutes: float = 1) -> None:
    sent_at = ago(minutes=minutes)
    ended_at = sent_at + timedelta(milliseconds=milliseconds) if milliseconds is not None else None
    StockAttempt.objects.create(
        movement=movement(), fence=1, sent_at=sent_at, ended_at=ended_at, outcome=outcome
    )


def test_calls_tell_the_share_answered_and_how_fast() -> None:
    attempt(99_000, "timeout", minutes=11)
    for milliseconds in (10, 20, 30):
        attempt(milliseconds, "applied")
    attempt(40, "insufficient_stock")
    attempt(1000, "timeout")
    attempt(1000, "timeout")
    attempt(5, "server_error")
    attempt(None, "")

    seen = figures.calls()

    assert (seen.ended, seen.answered) == (7, 4)
    assert seen.troubles == [("timeout", 2), ("server_error", 1)]
    assert seen.half_within == pytest.approx(30)
    assert seen.most_within == pytest.approx(1000)


def test_calls_of_an_idle_shop_are_none() -> None:
    assert figures.calls() == figures.Calls(0, 0, None, None, [])


# --- cost ----------------------------------------------------------------------------------------


def test_statement_past_its_deadline_is_unanswered_and_leaves_the_connection_usable(
    monkeypatch: pytest.MonkeyPatch, committed_db: None
) -> None:
    monkeypatch.setattr(figures, "DEADLINE", 20)
    monkeypatch.setattr(figures, "_WORKER", "SELECT pg_sleep(5)")
    with pytest.raises(Unanswered):
        figures.worker()
    monkeypatch.setattr(figures, "DEADLINE", 10_000)
    assert figures.calls().ended == 0
