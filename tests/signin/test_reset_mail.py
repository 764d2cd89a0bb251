"""Mails with a link, by a real worker to a real mail server: one that is there, away, or hangs."""

import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.jobs import Job
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Order
from orders.signin import resets
from tests.factories import order_of
from tests.processes import free_port, wait_for, worker
from tests.signin.conftest import Outcomes
from tests.signin.mailboxes import (
    NEW,
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
)
from tests.signin.people import customer, give_password
from tests.test_worker import abandoned
from tests.tracking.visits import SIGN_IN

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture(autouse=True)
def _mail(settings: Settings, committed_db: None) -> None:
    settings.SENDS_MAIL = True
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_periodic_defers")
        cursor.execute("DELETE FROM procrastinate_jobs")


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
        wait_for(lambda: not ProcrastinateJob.objects.filter(args__has_key="asked_at").exists())

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
    waiting(kim.email)
    waiting(lee.email)
    with worker(sandbox.url, log=log, concurrency=1, EMAIL_URL=url(port)):
        with server(Mailbox(*["451 later"] * 99), port):
            wait_for(lambda: all(tries for _, tries in mails()))  # neither waits for the other
        talker = Talker(port)
        try:
            make_due()
            assert talker.called.wait(30)
            order = order_of(p10=2)
            abandoned(order)
            wait_for(lambda: Order.objects.filter(pk=order.pk, status="CONFIRMED").exists())
            # One hangs, and none besides it.
            wait_for(lambda: sorted(status for status, _ in mails()) == ["doing", "todo"])
        finally:
            talker.hang_up()
        wait_for(lambda: [status for status, _ in mails()] == ["todo", "todo"])
        waiting_for_a_time = ProcrastinateJob.objects.filter(scheduled_at__isnull=False)
        assert waiting_for_a_time.count() == 2  # neither is tried at once
        with server(box, port):
            make_due()
            wait_for(lambda: len(box.mails) == 2)
            wait_for(lambda: mails() == [])
    assert sorted(box.recipients) == sorted([kim.email, lee.email])
    assert "reset_mail_delayed" in log.read_text()
    assert "@example" not in log.read_text()


def make_due() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = NULL")
    lifecycle.nudge()  # has the worker look for jobs


# --- a mail that is not sent: the task itself, to a socket ---------------------------------------


def waiting(address: str) -> ProcrastinateJob:
    """Have a link asked for; return the job for its mail."""
    ask(address)
    asked = ProcrastinateJob.objects.filter(task_name=resets.ASKED)
    app.tasks[resets.ASKED].func(**asked.get().args)
    asked.delete()
    mail: ProcrastinateJob = ProcrastinateJob.objects.filter(task_name=resets.MAIL).latest("id")
    return mail


def attempt(address: str) -> tuple[Job, BaseException | None]:
    """Do as a worker does with the job for a mail, once; return the job, and what it raised."""
    row = waiting(address)
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


def decision(job: Job, failure: BaseException | None, age: int = 0) -> Any:
    """Return what comes of a failure so many seconds after the link was asked for."""
    assert failure is not None
    args = {**job.task_kwargs, "asked_at": int(time.time()) - age}
    again = app.tasks[job.task_name].get_retry_exception(failure, job.evolve(task_kwargs=args))
    return again and again.retry_decision


def pause(job: Job, failure: BaseException, age: int = 0) -> float:
    """Return for how many seconds a job waits then."""
    return float(decision(job, failure, age).retry_at.timestamp() - time.time())


def test_server_that_is_away_is_tried_with_growing_pauses_for_an_hour(
    port: int, outcomes: Outcomes, caplog: pytest.LogCaptureFixture
) -> None:
    job, failure = attempt(customer().email)
    assert failure is not None
    assert failure.__context__ is None  # nor would a stack tell the address
    pauses = [pause(job, failure, age) for age in (0, 10, 50, 210, 3500)]
    assert pauses == pytest.approx([10, 40, 160, 300, 300], abs=6)
    assert decision(job, failure).lock == resets.MAIL
    assert "ConnectionRefusedError" in caplog.text
    assert outcomes() == {"delayed": 1}

    old = job.task_kwargs | {"asked_at": int(time.time()) - 3600}
    box = Mailbox()
    with server(box, port):
        app.tasks[resets.MAIL].func(**old)
    assert box.mails == []
    assert "reset_mail_given_up" in caplog.text
    assert "@" not in caplog.text
    assert outcomes() == {"delayed": 1, "given_up": 1}


@pytest.mark.parametrize("step", ["RCPT", "DATA"])
@pytest.mark.parametrize("refusal", ["451 4.2.1 <user@example.com> try again", ""])
def test_mail_that_alone_is_not_taken_lets_the_others_pass(
    refusal: str, step: str, port: int, outcomes: Outcomes
) -> None:
    box = Mailbox(refusal, at=step)
    with server(box, port):
        job, failure = attempt(customer().email)
        assert decision(job, failure).lock == f"{resets.MAIL}.{job.id}"
        app.tasks[resets.MAIL].func(**job.task_kwargs)
    assert len(box.mails) == 1
    assert outcomes() == {"delayed": 1, "sent": 1}


@pytest.mark.parametrize("step", ["RCPT", "DATA"])
def test_mail_that_is_refused_for_good_is_given_up(
    step: str, port: int, outcomes: Outcomes, caplog: pytest.LogCaptureFixture
) -> None:
    kim = customer()
    with server(Mailbox(f"550 5.1.1 <{kim.email}> is unknown", at=step), port):
        _, failure = attempt(kim.email)
    assert failure is None
    assert "reset_mail_given_up" in caplog.text
    assert "550" in caplog.text
    assert kim.email not in caplog.text
    assert outcomes() == {"given_up": 1}


# Domains of which the rules of 2003 make another one, or none; and a name that SMTP can't write.
NOT_AS_WRITTEN = [
    "kim@straße.example",
    "kim@a\u200db.example",
    "kim@a\u00adb.example",
    f"kim@{'ü' * 60}.example",
    "\u017fam@example.com",
]


@pytest.mark.parametrize("address", NOT_AS_WRITTEN)
def test_mail_that_would_arrive_elsewhere_is_given_up(
    address: str, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    kim, box = customer(email=address), Mailbox()
    with server(box, port):
        resets.send(kim.pk, asked_at=int(time.time()))
    assert box.recipients == []
    assert "reset_mail_given_up" in caplog.text
    assert address not in caplog.text


def test_mail_to_a_domain_with_an_umlaut_arrives(port: int) -> None:
    box = Mailbox()
    with server(box, port):
        for address in ("kim@Müller.example", "kim@xn--strae-oqa.example"):
            resets.send(customer(email=address).pk, asked_at=int(time.time()))
    assert box.recipients == ["kim@xn--mller-kva.example", "kim@xn--strae-oqa.example"]
