"""Mails with a link, by a real worker to a real mail server: one that is there, away, or hangs."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import quote

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import Client
from procrastinate import JobContext, PsycopgConnector
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.contrib.django.utils import connector_params
from procrastinate.jobs import Job
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle, tasks
from orders.models import Order
from orders.signin import resets
from tests.factories import order_of
from tests.processes import free_port, wait_for, worker
from tests.signin.mailboxes import (
    PASSWORD,
    USER,
    Mailbox,
    Talker,
    ask,
    certificate,
    choose,
    link_in,
    opened,
    server,
    work,
)
from tests.signin.people import customer, give_password
from tests.test_worker import abandoned
from tests.tracking.visits import SIGN_IN

pytestmark = pytest.mark.usefixtures("committed_db")

NEW = "a horse of another colour"


@pytest.fixture(autouse=True)
def _mail(settings: Settings, committed_db: None) -> None:
    settings.SENDS_MAIL = True
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_periodic_defers")
        cursor.execute("DELETE FROM procrastinate_jobs")


@pytest.fixture
def port(settings: Settings) -> Iterator[int]:
    """Return where the mail server of this process's settings is, or is not."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    settings.EMAIL_TIMEOUT = 10
    settings.DEFAULT_FROM_EMAIL = "Fern & Oak <shop@example.org>"
    yield settings.EMAIL_PORT


def url(port: int) -> str:
    return f"smtp://127.0.0.1:{port}?from=shop@example.org"


def mails() -> list[tuple[str, int]]:
    """Return the jobs for a mail: how each stands, and how often it was tried."""
    jobs = ProcrastinateJob.objects.filter(task_name=resets.MAIL).order_by("id")
    return list(jobs.values_list("status", "attempts"))


def test_worker_sends_the_link_over_tls_and_it_opens(sandbox: Sandbox, tmp_path: Path) -> None:
    kim, box, port = customer(), Mailbox(), free_port()
    pem, log = certificate(tmp_path), tmp_path / "log"
    sender = quote("Fern & Oak <shop+orders@example.org>", safe="")
    who = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}"
    where = f"smtp+tls://{who}@127.0.0.1:{port}?from={sender}"
    ask(kim.email)
    ask("nobody@example.com")
    with (
        server(box, port, pem),
        worker(sandbox.url, log=log, EMAIL_URL=where, SSL_CERT_FILE=str(pem), LOG_LEVEL="INFO"),
    ):
        wait_for(lambda: len(box.mails) == 1)
        wait_for(lambda: not ProcrastinateJob.objects.filter(args__has_key="home").exists())

    [mail] = box.mails
    assert box.recipients == [kim.email]
    assert mail["From"] == "Fern & Oak <shop+orders@example.org>"
    assert mail["To"] == kim.email
    client = Client()
    link = link_in(mail)
    assert choose(opened(link, client), NEW, client).status_code == 302
    assert give_password(client, kim.username, NEW, path=SIGN_IN).status_code == 302
    told = log.read_text()
    assert "reset_mail_sent" in told
    secrets = (kim.email, kim.username, link.split("/")[-1], PASSWORD, quote(PASSWORD, safe=""))
    assert [secret for secret in secrets if secret in told] == []


def test_worker_confirms_while_the_mail_server_hangs_and_sends_when_it_is_back(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.store.set_stock({"10": 45})
    kim, lee, box, port = customer(), customer(), Mailbox(), free_port()
    log = tmp_path / "log"
    talker = Talker(port)
    ask(kim.email)
    ask(lee.email)
    try:
        with worker(sandbox.url, log=log, concurrency=1, EMAIL_URL=url(port)):
            assert talker.called.wait(30)
            order = order_of(p10=2)
            abandoned(order)
            wait_for(lambda: Order.objects.filter(pk=order.pk, status="CONFIRMED").exists())
            assert mails() == [("doing", 0), ("todo", 0)]  # one hangs, and none besides it
            talker.hang_up()
            wait_for(lambda: mails() == [("todo", 1), ("todo", 0)])
            # It is not tried at once, and the other not before it.
            assert ProcrastinateJob.objects.filter(scheduled_at__isnull=False).count() == 1
            with server(box, port):
                with connection.cursor() as cursor:
                    cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = NULL")
                lifecycle.nudge()  # has the worker look for jobs
                wait_for(lambda: len(box.mails) == 2)
                wait_for(lambda: mails() == [])
    finally:
        talker.hang_up()
    assert box.recipients == [kim.email, lee.email]
    assert "reset_mail_delayed" in log.read_text()
    assert "@example" not in log.read_text()


# --- a mail that is not sent: the task itself, to a socket ---------------------------------------


def attempt(address: str) -> tuple[Job, BaseException | None]:
    """Do as a worker does with the job for a mail, once; return the job, and what it raised."""
    ask(address)
    app.tasks[resets.ASKED].func(**ProcrastinateJob.objects.get().args)
    row = ProcrastinateJob.objects.get(task_name=resets.MAIL)
    ProcrastinateJob.objects.all().delete()
    job = Job(
        id=row.pk,
        queue=row.queue_name,
        lock=row.lock,
        queueing_lock=None,
        task_name=row.task_name,
        task_kwargs=row.args,
    )
    try:
        app.tasks[row.task_name].func(**row.args)
    except resets.NotSent as exc:
        return job, exc
    return job, None


def decision(job: Job, failure: BaseException | None, attempts: int = 0) -> Any:
    assert failure is not None
    return tasks.MailAgain().get_retry_decision(
        exception=failure, job=job.evolve(attempts=attempts)
    )


def pause(job: Job, failure: BaseException, attempts: int) -> int:
    """Return for how many seconds a job waits after so many attempts."""
    at: float = decision(job, failure, attempts).retry_at.timestamp()
    return round(at - time.time())


def test_server_that_is_away_is_tried_with_growing_pauses_for_an_hour(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    job, failure = attempt(customer().email)
    assert failure is not None
    assert failure.__context__ is None  # nor would a stack tell the address
    assert [pause(job, failure, attempts) for attempts in range(5)] == [10, 40, 160, 300, 300]
    assert decision(job, failure).lock is None
    assert "ConnectionRefusedError" in caplog.text

    old = job.task_kwargs | {"asked_at": int(time.time()) - 3600}
    box = Mailbox()
    with server(box, port):
        app.tasks[resets.MAIL].func(**old)
    assert box.mails == []
    assert "reset_mail_given_up" in caplog.text
    assert "@" not in caplog.text


def test_mail_that_alone_is_refused_lets_the_others_pass(port: int) -> None:
    box = Mailbox("451 4.2.1 <user@example.com> try again")
    with server(box, port):
        job, failure = attempt(customer().email)
        assert decision(job, failure).lock == f"orders.reset_mail.{job.id}"
        app.tasks[resets.MAIL].func(**job.task_kwargs)
    assert len(box.mails) == 1


def test_mail_to_an_address_that_there_is_not_is_given_up(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    kim = customer()
    with server(Mailbox(f"550 5.1.1 <{kim.email}> is unknown"), port):
        _, failure = attempt(kim.email)
    assert failure is None
    assert "reset_mail_given_up" in caplog.text
    assert "550" in caplog.text
    assert kim.email not in caplog.text


def test_failure_of_another_kind_is_tried_three_times() -> None:
    job = Job(id=None, queue="q", lock=None, queueing_lock=None, task_name="t")
    tried = [decision(job, RuntimeError(), attempts) is not None for attempts in range(5)]
    assert tried == [True] * 3 + [False] * 2


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
