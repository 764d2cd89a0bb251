"""Mails that were not sent: which is tried next, and that it is one at a time."""

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from procrastinate import JobContext, PsycopgConnector
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.contrib.django.utils import connector_params
from procrastinate.jobs import Job
from pytest_django.fixtures import Settings

from orders import tasks
from orders.models import User
from orders.signin import resets
from tests.signin.conftest import Outcomes
from tests.signin.mailboxes import Mailbox, Talker, ask, server, work
from tests.signin.people import customer
from tests.signin.test_reset_mail import attempt, decision, pause, waiting

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture(autouse=True)
def _mail(settings: Settings, committed_db: None) -> None:
    settings.SENDS_MAIL = True
    ProcrastinateJob.objects.all().delete()


def test_mail_that_failed_alone_and_is_due_waits_for_no_other() -> None:
    first, second, third = (waiting(customer().email).pk for _ in range(3))
    # Not for the third, which has not failed, nor for the second, which has and is not due.
    assert async_to_sync(_fetched)() == [first, second, first, third, None]


async def _fetched() -> list[int | None]:
    """Return what a worker fetches when two mails fail, each alone, and the first comes due."""
    fetched: list[int | None] = []
    connector = PsycopgConnector(kwargs=connector_params())
    with app.replace_connector(connector) as worker_app:
        async with worker_app.open_async():
            jobs = worker_app.job_manager
            worker = await jobs.register_worker()
            for number in range(5):
                job = await jobs.fetch_job(None, worker)
                fetched.append(job.id if job else None)
                if job and number < 2:
                    then = decision(job, resets.NotSent(is_alone=True))
                    await jobs.retry_job(
                        job, retry_at=then.retry_at, priority=then.priority, lock=then.lock
                    )
                if number == 1:
                    await connector.execute_query_async(
                        "UPDATE procrastinate_jobs SET scheduled_at = now()"
                        " WHERE id = (SELECT min(id) FROM procrastinate_jobs)"
                    )
    return fetched


def test_two_mails_at_once_are_sent_one_after_the_other(port: int) -> None:
    kim, lee = customer(), customer()
    talker = Talker(port)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(_slowly, kim)
        try:
            assert talker.called.wait(30)
            with pytest.raises(resets.Busy) as busy:
                resets.send(lee.pk, asked_at=int(time.time()))
            assert not first.done()
            time.sleep(0.5)  # longer than a session may be idle in a transaction
        finally:
            talker.hang_up()
        assert isinstance(first.exception(30), resets.NotSent)
    job = Job(
        id=7, queue="q", lock="own", queueing_lock=None, task_name=resets.MAIL, task_kwargs={}
    )
    assert pause(job, busy.value, 1800) == pytest.approx(tasks.BUSY_PAUSE, abs=2)
    assert decision(job, busy.value).lock == resets.MAIL
    box = Mailbox()
    with server(box, port):
        resets.send(lee.pk, asked_at=int(time.time()))
    assert box.recipients == [lee.email]


def _slowly(user: User) -> None:
    """Send a mail in a session that ends soon when it is idle, in a thread of its own."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET idle_in_transaction_session_timeout = '200ms'")
        resets.send(user.pk, asked_at=int(time.time()))
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("name", "args", "lost"),
    [(resets.ASKED, {"users": [1, 2]}, 2), (resets.ASKED, {"users": []}, 0), (resets.MAIL, {}, 1)],
)
@pytest.mark.parametrize("failure", [RuntimeError(), resets.Busy()])
def test_failure_of_another_kind_is_tried_for_an_hour_then_counted(
    failure: Exception,
    name: str,
    args: dict[str, Any],
    lost: int,
    outcomes: Outcomes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    job = Job(
        id=7,
        queue="q",
        lock=None,
        queueing_lock=None,
        task_name=name,
        task_kwargs=args,
        attempts=50,
    )
    assert decision(job, failure, 3500) is not None
    assert ("RuntimeError" in caplog.text) == isinstance(failure, RuntimeError)
    assert outcomes() == {}
    assert decision(job, failure, 3600) is None
    assert outcomes() == ({"given_up": lost} if lost else {})


def test_mail_whose_hour_ends_while_it_is_tried_is_no_error_of_ours(
    port: int, outcomes: Outcomes, caplog: pytest.LogCaptureFixture
) -> None:
    job, failure = attempt(customer().email)
    assert decision(job, failure, 3600) is None
    assert "ConnectionRefusedError" in caplog.text
    assert "NotSent" not in caplog.text  # which the runbook would call a bug
    assert outcomes() == {"delayed": 1, "given_up": 1}


async def _sweep() -> None:
    """Sweep as a worker does, on connections that are closed again."""
    connector = PsycopgConnector(kwargs=connector_params())
    with app.replace_connector(connector) as worker_app:
        async with worker_app.open_async():
            await tasks.sweep.func(cast(JobContext, SimpleNamespace(app=worker_app)), 0)


def test_mail_of_a_worker_that_died_is_sent_by_another(mailoutbox: Any) -> None:
    ask(customer().email)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (now() - interval '5 minutes') RETURNING id) UPDATE procrastinate_jobs"
            " SET status = 'doing', worker_id = (SELECT id FROM dead)"
        )
    async_to_sync(_sweep)()
    [job] = ProcrastinateJob.objects.all()
    assert (job.status, job.attempts) == ("todo", 1)
    work()
    assert len(mailoutbox) == 1
