"""PENDING orders that grow too old: what is cancelled, what is left, and who else may be at it."""

import logging
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError
from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle, tasks
from orders.admin.page import dialogs
from orders.housekeeping import expiring
from orders.housekeeping.expiring import LookedAfter
from orders.models import Order, OrderEvent, OrderNote
from orders.status import CancelReason, Door, HoldReason, Verb
from tests.commands.running import run
from tests.factories import OPERATOR, actor, order, order_of, stock
from tests.housekeeping.locks import held
from tests.processes import wait_for, worker

pytestmark = pytest.mark.usefixtures("committed_db")

DAY = timedelta(hours=24)


def age(*orders: Order, hours: float = 30) -> None:
    """Have orders, and all that has happened to them, be so old."""
    ago = timezone.now() - timedelta(hours=hours)
    keys = [each.pk for each in orders]
    Order.objects.filter(pk__in=keys).update(created_at=ago)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # history is append-only
        OrderEvent.objects.filter(order__in=keys).update(at=ago)


def old(**fields: Any) -> Order:
    placed = order(**fields)
    age(placed)
    return placed


def cancelled() -> list[int]:
    found = Order.objects.filter(status="CANCELLED").order_by("pk")
    return list(found.values_list("pk", flat=True))


def test_expiry_cancels_what_is_too_old_and_says_why() -> None:
    first, young, short = old(), order(), old(stock_state="short")
    age(young, hours=23)

    assert run("expire_orders", "--hours", "24").out == "2 cancelled\n"

    assert cancelled() == [first.pk, short.pk]
    [event] = first.events.all()
    assert (event.kind, event.actor, event.via) == ("cancelled", "system", "command")
    assert event.data == {"reason": "expired"}
    short.refresh_from_db()
    assert short.stock_state == "clear"
    assert run("expire_orders", "--hours", "24").out == "0 cancelled\n"


def test_expiry_leaves_what_somebody_looks_after(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    held, released, amended, batched, noted = old(), old(), old(), old(), old()
    old_note, new_note = (OrderNote.objects.create(order=noted, text="pays tomorrow") for _ in "ab")
    OrderNote.objects.filter(pk=old_note.pk).update(created_at=timezone.now() - 2 * DAY)
    confirming, confirmed, completed = order_of(p10=1), order_of(p10=1), old(status="COMPLETED")
    desk = actor("manager")
    for each in (held, released):
        lifecycle.hold(each.pk, actor=desk, reason=HoldReason.CUSTOMER)
    age(held, released)
    lifecycle.release(released.pk, actor=desk)
    amendment = lifecycle.Amendment("A", "a@example.net", "B", "C", "1", [])
    lifecycle.amend(amended.pk, amendment, actor=desk, expected_version=amended.version)
    lifecycle.open_batch(Verb.HOLD, [batched.pk], actor=desk, reason=HoldReason.OTHER)
    sandbox.switches.update({"down": "503"})
    lifecycle.confirm(confirming.pk, actor=desk, hold=0)
    sandbox.switches.update({"down": ""})
    lifecycle.confirm(confirmed.pk, actor=desk)
    age(confirming, confirmed, completed)

    assert run("expire_orders", "--hours", "24", "--dry-run").out == "0 would be cancelled\n"
    assert run("expire_orders", "--hours", "24").out == "0 cancelled\n"
    assert cancelled() == []

    age(released, amended)
    new_note.delete()
    assert run("expire_orders", "--hours", "24").out == "3 cancelled\n"
    assert cancelled() == [released.pk, amended.pk, noted.pk]


def test_expiry_gives_back_nothing_that_is_confirmed_while_it_runs(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    first, confirmed, held, dropped, batched = (order_of(p10=2) for _ in range(5))
    age(first, confirmed, held, dropped, batched)
    expiry = expiring.expire(DAY, actor=OPERATOR)
    assert next(expiry).number == first.pk  # all five are found now
    desk = actor("manager")
    lifecycle.confirm(confirmed.pk, actor=desk)
    lifecycle.hold(held.pk, actor=desk, reason=HoldReason.CUSTOMER)
    lifecycle.cancel(dropped.pk, actor=desk, reason=CancelReason.CUSTOMER)
    lifecycle.open_batch(Verb.HOLD, [batched.pk], actor=desk, reason=HoldReason.OTHER)

    rest = {each.number: type(each.why_not) for each in expiry}

    changed = (confirmed, held, dropped, batched)
    assert rest == dict.fromkeys((each.pk for each in changed), LookedAfter)
    assert cancelled() == [first.pk, dropped.pk]
    assert dropped.events.get(kind="cancelled").data == {"reason": "customer"}
    assert stock(sandbox) == {"10": 43}


def test_expiry_that_is_broken_off_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiring, "AT_ONCE", 2)
    every = [old() for _ in range(5)]
    expiry = expiring.expire(DAY, actor=OPERATOR)
    for _ in range(3):
        next(expiry)
    del expiry
    assert cancelled() == [each.pk for each in every[:3]]
    assert run("expire_orders", "--hours", "24").out == "2 cancelled\n"
    assert cancelled() == [each.pk for each in every]


def test_expiry_by_two_at_once_cancels_each_order_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiring, "AT_ONCE", 3)
    every = [old() for _ in range(8)]
    begin, done = Barrier(2), list[int]()

    def expire() -> None:
        try:
            begin.wait()
            expiry = expiring.expire(DAY, actor=OPERATOR)
            done.extend(each.number for each in expiry if each.why_not is None)
        finally:
            connection.close()

    threads = [Thread(target=expire) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cancelled() == [each.pk for each in every]
    assert OrderEvent.objects.filter(kind="cancelled").count() == 8
    assert sorted(done) == [each.pk for each in every]  # nobody counts what the other did


def test_expiry_goes_on_past_an_order_that_somebody_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiring, "AT_ONCE", 1)
    locked, free = old(), old()
    with held(f"SELECT FROM orders_order WHERE number = {locked.pk} FOR UPDATE"):
        outcome = run("expire_orders", "--hours", "24")
    assert outcome.code == 1
    assert outcome.out == "1 cancelled, 1 failed\n"
    assert f"#{locked.pk}: the database: canceling statement due to lock" in outcome.err
    assert cancelled() == [free.pk]


def test_command_needs_an_age(settings: Settings) -> None:
    old()
    for arguments in ([], ["--hours", "0"], ["--hours", "8761"], ["--hours", "100000000"]):
        with pytest.raises(CommandError, match="Say how old is too old"):
            run("expire_orders", *arguments)
    assert cancelled() == []


def test_rehearsal_lists_them_and_changes_nothing() -> None:
    placed = old()
    at = Order.objects.get(pk=placed.pk).created_at
    expected = f"#{placed.pk}: placed {at:%Y-%m-%d %H:%M}\n1 would be cancelled\n"
    assert run("expire_orders", "--hours", "24", "--dry-run").out == expected
    assert cancelled() == []


def test_chore_does_nothing_unless_it_is_configured(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    placed, another = old(), old()
    context = Mock(should_abort=lambda: False)
    settings.PENDING_EXPIRE_HOURS = None
    tasks.expire(context, timestamp=0)
    assert cancelled() == []

    settings.PENDING_EXPIRE_HOURS = 24
    with caplog.at_level(logging.INFO):
        tasks.expire(Mock(should_abort=lambda: True), timestamp=0)
    assert cancelled() == [placed.pk]  # and asked to stop after that
    assert placed.events.get().via == Door.WORKER
    assert "orders_expired" in caplog.text
    tasks.expire(context, timestamp=0)
    assert cancelled() == [placed.pk, another.pk]


def test_worker_does_the_chores(sandbox: Sandbox) -> None:
    periodic = {each.task.name: each.cron for each in app.periodic_registry.periodic_tasks.values()}
    assert (periodic["orders.expire"], periodic["orders.prune"]) == ("27 * * * *", "43 3 * * *")
    placed = old()
    Session.objects.create(session_key="x", session_data="", expire_date=timezone.now() - DAY)
    for name in ("orders.prune", "orders.expire"):
        app.configure_task(name, queueing_lock=name).defer(timestamp=0)
    with worker(sandbox.url, PENDING_EXPIRE_HOURS="24"):
        wait_for(lambda: cancelled() == [placed.pk])
        wait_for(lambda: not Session.objects.exists())


def test_staff_are_not_offered_the_reason() -> None:
    placed = old()
    offered = [word for word, _ in dialogs.form_of("cancel", placed).fields["reason"].choices]  # type: ignore[attr-defined]
    assert "expired" not in offered
    assert {*offered} == {"", *CancelReason} - {"expired"}
