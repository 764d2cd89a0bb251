"""What is deleted for its age, and what is kept although it is old."""

import uuid
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob

from orders import retention, tasks
from orders.housekeeping import pruning
from orders.models import IdempotencyKey, OrderEvent, RateCount, StockAttempt
from orders.signin.lockout import COOL_OFF
from tests.commands.running import run
from tests.factories import order

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def key(name: str, left: timedelta) -> None:
    IdempotencyKey.objects.create(
        scope="key:x",
        key=name,
        fingerprint=b"",
        order=order(),
        body={},
        expires_at=timezone.now() + left,
    )


def attempt(
    age: timedelta,
    *,
    state: str = "applied",
    confirmation: str = "confirmed",
    decided: bool = False,
) -> StockAttempt:
    """Return a call that was made for an order's stock so long ago."""
    placed = order()
    made = placed.confirmations.create(state=confirmation, actor="system", via="api")
    movement = made.movements.create(
        product_id=uuid.uuid4().hex, delta=-1, state=state, sent_at=timezone.now() - age
    )
    if decided:
        for each in (movement.pk, uuid.uuid4()):
            OrderEvent.objects.create(
                order=placed,
                kind="review_resolved",
                actor="user:1",
                via="admin",
                data={"movement": str(each), "applied": False},
            )
    call: StockAttempt = movement.attempts.create(fence=1, sent_at=timezone.now() - age)
    return call


def job(status: str, ended: datetime) -> int:
    """Return a job that came to its end then; its events go with it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status)"
            " VALUES ('default', 'orders.settle', %s) RETURNING id",
            [status],
        )
        number: int = cursor.fetchone()[0]
        cursor.execute("DELETE FROM procrastinate_events WHERE job_id = %s", [number])
        for at in (ended - timedelta(days=30), ended):
            cursor.execute(
                "INSERT INTO procrastinate_events (job_id, type, at) VALUES (%s, 'started', %s)",
                [number, at],
            )
    return number


def pruned(**options: Any) -> dict[str, str]:
    lines = run("prune", **options).out.splitlines()
    return dict(line.split(": ") for line in lines)


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[object]]:
    """Fill a house, more of each kind than a transaction takes; return what must be kept."""
    monkeypatch.setattr(pruning, "AT_ONCE", 2)
    now = timezone.now()
    for name in "abc":
        key(f"old {name}", -MINUTE)
        Session.objects.create(session_key=f"old {name}", session_data="", expire_date=now - MINUTE)
        AccessAttempt.objects.create(
            username=f"old {name}", ip_address="192.0.2.1", failures_since_start=1
        )
        RateCount.objects.create(
            key=f"old {name}", since=now - retention.RATE_COUNTS - MINUTE, hits=1
        )
    AccessAttempt.objects.update(attempt_time=now - COOL_OFF - MINUTE)
    key("young", MINUTE)
    Session.objects.create(session_key="young", session_data="", expire_date=now + MINUTE)
    AccessAttempt.objects.create(username="young", ip_address="192.0.2.1", failures_since_start=1)
    RateCount.objects.create(key="young", since=now - retention.RATE_COUNTS + MINUTE, hits=1)

    old, young = retention.STOCK_ATTEMPTS + MINUTE, retention.STOCK_ATTEMPTS - MINUTE
    kept = {
        attempt(old, state=state, confirmation="rejected").pk
        for state in ("planned", "claimed", "sent", "unknown", "review")
    }
    for state in ("applied", "rejected", "void"):
        attempt(old, state=state)
    kept |= {
        attempt(old, confirmation="running").pk,
        attempt(old, confirmation="reversing").pk,
        attempt(old, decided=True).pk,
        attempt(young).pk,
    }
    ago = now - retention.FINISHED_JOBS
    for status in ("succeeded", "failed", "cancelled", "aborted"):
        job(status, ago - MINUTE)
    jobs = {job("todo", ago - MINUTE), job("doing", ago - MINUTE), job("failed", ago + MINUTE)}
    return {"attempts": {*kept}, "jobs": {*jobs}}


WAS_OLD = {
    "idempotency keys": 3,
    "sessions": 3,
    "failed sign-ins": 3,
    "rate counts": 3,
    "jobs": 4,
    "stock attempts": 3,
}


def left() -> dict[str, set[object]]:
    return {
        "keys": {each.key for each in IdempotencyKey.objects.all()},
        "sessions": {each.session_key for each in Session.objects.all()},
        "failures": {each.username for each in AccessAttempt.objects.all()},
        "rates": {each.key for each in RateCount.objects.all()},
        "attempts": {each.pk for each in StockAttempt.objects.all()},
        "jobs": {each.pk for each in ProcrastinateJob.objects.all()},
    }


def test_prune_deletes_what_is_old_and_nothing_else(house: dict[str, set[object]]) -> None:
    before = left()
    would = {kind: f"{number} would be deleted" for kind, number in WAS_OLD.items()}
    assert pruned(dry_run=True) == would
    assert left() == before

    assert pruned() == {kind: f"{number} deleted" for kind, number in WAS_OLD.items()}

    young: set[object] = {"young"}
    assert left() == {
        "keys": young,
        "sessions": young,
        "failures": young,
        "rates": young,
        **house,
    }
    assert set(ProcrastinateEvent.objects.values_list("job_id", flat=True)) == house["jobs"]
    assert pruned() == dict.fromkeys(WAS_OLD, "0 deleted")


def test_prune_takes_so_many_rows_a_transaction(house: dict[str, set[object]]) -> None:
    every = list(pruning.prune())
    assert max(each.rows for each in every) == pruning.AT_ONCE
    assert {each.kind for each in every} == set(WAS_OLD)


def test_chore_prunes_until_the_worker_is_asked_to_stop(house: dict[str, set[object]]) -> None:
    tasks.prune(Mock(should_abort=lambda: True), timestamp=0)
    assert len(left()["keys"]) == 2  # one transaction's, and no more
    assert len(left()["sessions"]) == 4
    tasks.prune(Mock(should_abort=lambda: False), timestamp=0)
    assert left()["attempts"] == house["attempts"]
