"""The worker: what it finds, what it survives, and the nudges that only spare it the wait."""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from inventory_client.sandbox.handler import Handler
from inventory_client.sandbox.messages import Request
from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.lifecycle import advancing
from orders.management.commands import worker as worker_command
from orders.models import Confirmation, Order, ProcessReport, StockMovement
from orders.stock import ledger
from orderservice import garbage
from orderservice.metrics import reports
from tests.factories import OPERATOR, order_of, stock
from tests.processes import stop, wait_for, worker

pytestmark = pytest.mark.usefixtures("committed_db")

LONG_AGO = timedelta(minutes=10)


def jobs() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name, status::text FROM procrastinate_jobs ORDER BY id")
        return list(cursor.fetchall())


def abandoned(order: Order) -> Confirmation:
    """Return a confirmation whose owner died before it did anything, long ago."""
    with transaction.atomic():
        opened = ledger.open_confirmations(
            [order.pk], actor="system", via="command", wake_in=-LONG_AGO
        )
        Order.objects.filter(pk=order.pk).update(stock_state="settling")
    return Confirmation.objects.get(pk=opened[order.pk])


def test_worker_without_work_asks_the_ledger_one_thing_at_a_time(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """Every five seconds: is a confirmation due, and is a batch unfinished."""
    with django_assert_num_queries(2):
        assert lifecycle.next_due_in() is None
        assert lifecycle.unfinished_batches() == []
    with django_assert_num_queries(1):
        assert not lifecycle.advance_due()


def is_confirmed(order: Order) -> bool:
    return Order.objects.filter(pk=order.pk, status="CONFIRMED", stock_state="clear").exists()


def test_worker_finds_what_no_job_speaks_of_and_leaves_no_jobs(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45, "9": 5})
    orders = [order_of(p10=2), order_of(p10=1, p9=1), order_of(p9=3)]
    for order in orders:
        abandoned(order)

    with worker(sandbox.url) as process:
        wait_for(lambda: all(is_confirmed(order) for order in orders))
        wait_for(lambda: jobs() == [])
        assert stop(process) == 0

    assert stock(sandbox) == {"10": 42, "9": 1}


@pytest.fixture
def arrived(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the paths of what reaches the sandbox, before it does anything about them."""
    paths: list[str] = []
    read = Handler._request

    def noted(self: Handler) -> Request:
        request = read(self)
        paths.append(request.path)
        return request

    monkeypatch.setattr(Handler, "_request", noted)
    return paths


def test_worker_killed_in_a_call_leaves_the_rest_to_another(
    sandbox: Sandbox, arrived: list[str]
) -> None:
    sandbox.store.set_stock({"10": 45, "9": 5})
    order = order_of(p10=2, p9=1)
    abandoned(order)
    sandbox.switches.update({"latency_ms": 700})

    with worker(sandbox.url, INVENTORY_SOLE_WRITER="1") as process:
        wait_for(lambda: "/api/v1/inventory/items/10/adjust" in arrived)
        process.kill()
    wait_for(lambda: stock(sandbox)["10"] == 43)  # the call lands, and nobody hears of it
    sandbox.switches.update({"latency_ms": 0})
    StockMovement.objects.filter(state="sent").update(
        sent_at=timezone.now() - LONG_AGO,
        lease_until=timezone.now() - LONG_AGO,
        settles_at=timezone.now() - LONG_AGO,
    )
    Confirmation.objects.update(wake_at=timezone.now() - LONG_AGO)

    with worker(sandbox.url, INVENTORY_SOLE_WRITER="1"):
        wait_for(lambda: is_confirmed(order))

    assert stock(sandbox) == {"10": 43, "9": 4}


def test_worker_whose_connections_are_cut_goes_on(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    first, second = order_of(p10=1), order_of(p10=1)
    abandoned(first)

    with worker(sandbox.url, LOG_LEVEL="CRITICAL") as process:
        wait_for(lambda: is_confirmed(first))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert cursor.fetchone()[0] >= 2
        abandoned(second)
        wait_for(lambda: is_confirmed(second), within=20)
        assert process.poll() is None


@pytest.fixture
def unmigrated(committed_db: None) -> Iterator[Callable[[], None]]:
    """A database that lacks this release's last migration, and what applies it."""
    row: list[Any] = []
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE (app, name) ="
            " (SELECT app, max(name) FROM django_migrations WHERE app = 'orders' GROUP BY app)"
            " RETURNING id, app, name, applied"
        )
        row.extend(cursor.fetchall())

    def migrate() -> None:
        with connection.cursor() as cursor:
            while row:
                cursor.execute("INSERT INTO django_migrations VALUES (%s, %s, %s, %s)", row.pop())

    yield migrate
    migrate()


def test_worker_waits_for_the_migrations_of_its_release(
    sandbox: Sandbox, unmigrated: Callable[[], None], tmp_path: Path
) -> None:
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    abandoned(order)
    log = tmp_path / "log"

    def is_waiting() -> bool:
        return "worker_waits_for_migrations" in log.read_text()

    with worker(sandbox.url, log=log) as process:
        wait_for(is_waiting)
        assert stop(process) == 0
    with worker(sandbox.url, log=log):
        wait_for(is_waiting)
        assert stock(sandbox) == {"10": 45}
        unmigrated()
        wait_for(lambda: is_confirmed(order))

    assert stock(sandbox) == {"10": 43}


def test_worker_stops_between_calls_when_asked(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    sandbox.switches.update({"latency_ms": 500})
    orders = [order_of(p10=1) for _ in range(8)]
    for order in orders:
        abandoned(order)

    with worker(sandbox.url) as process:
        wait_for(lambda: StockMovement.objects.filter(state="sent").exists())
        assert stop(process) == 0

    assert not StockMovement.objects.filter(state__in=["claimed", "sent"]).exists()
    done = sum(is_confirmed(order) for order in orders)
    assert 0 < done < len(orders)
    assert stock(sandbox) == {"10": 45 - done}


def test_confirm_that_outlasts_its_caller_nudges_the_worker(sandbox: Sandbox) -> None:
    order = lifecycle.confirm(order_of(p10=2).pk, actor=OPERATOR, hold=0)

    assert (order.status, order.stock_state) == ("PENDING", "settling")
    assert jobs() == [("orders.settle", "todo")]


def test_confirm_that_ends_within_its_hold_nudges_nobody(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    lifecycle.confirm(order_of(p10=2).pk, actor=OPERATOR)
    assert jobs() == []


def test_nudge_repeated_inside_a_transaction_leaves_one_job_and_a_sound_transaction() -> None:
    with transaction.atomic():
        lifecycle.nudge()
        lifecycle.nudge()
        Order.objects.count()
    lifecycle.nudge()
    assert jobs() == [("orders.settle", "todo")]


def test_advance_due_that_fails_is_logged_by_number_and_stops_no_other(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.store.set_stock({"10": 45})
    bad, good = order_of(p10=1), order_of(p10=1)
    broken = abandoned(bad)
    abandoned(good)
    advance = advancing._advance

    def fail_at_one(confirmations: Sequence[int], **options: Any) -> None:
        if broken.pk in confirmations:
            raise RuntimeError("a bug")
        advance(confirmations, **options)

    monkeypatch.setattr(advancing, "_advance", fail_at_one)
    with caplog.at_level(logging.ERROR):
        assert [lifecycle.advance_due() for _ in range(2)] == [True, False]

    assert is_confirmed(good)
    [record] = caplog.records
    assert f"'order': {bad.pk}" in str(record.msg)
    assert str(bad.public_id) not in caplog.text


def test_worker_that_fails_reports_what_it_has_counted(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(concurrency: int) -> None:
        raise RuntimeError("a bug")

    settings.METRICS_TOKEN = "a-token-of-the-operators"
    monkeypatch.setattr(reports, "_own", None)
    monkeypatch.setattr(garbage, "settle", lambda: None)  # this process has other tests to run
    monkeypatch.setattr(worker_command, "run", fail)
    with pytest.raises(RuntimeError):
        call_command("worker")
    assert ProcessReport.objects.filter(role="worker").exists()
