"""Who forgot a password asks for a link; nobody learns from the answer who has an account."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django.fixtures import Settings

from orders.models import RateCount, User
from orders.signin import closing
from orderservice.rates import NONE, Limits, Rate, Scope
from tests.factories import user
from tests.signin.conftest import Outcomes
from tests.signin.mailboxes import ADMIN, DOORS, TRACK, Mails, ask, link_for, work
from tests.signin.people import (
    LOGIN,
    customer,
    member,
)
from tests.tracking.visits import SIGN_IN

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("with_mail")]


def kinds() -> dict[str, str]:
    """Return addresses of everybody who may ask, by who that is."""
    closed, service = customer(), user()
    User.objects.filter(pk=closed.pk).update(is_active=False)
    service.set_unusable_password()
    service.save()
    return {
        "customer": customer().email,
        "staff": member().email,
        "in capitals": customer().email.upper(),
        "inactive": closed.email,
        "without a password": service.email,
        "nobody": "nobody@example.com",
    }


def plain(answer: Any) -> tuple[int, bytes, dict[str, str]]:
    """Return all of an answer but what no two have alike."""
    headers = {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}
    headers["Expires"] = ""
    body = re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", answer.content)
    return answer.status_code, body, headers


@DOORS
def test_answer_and_work_are_the_same_for_everybody(door: str, mailoutbox: Mails) -> None:
    seen, statements, pages = [], [], []
    addresses = kinds()
    ask("first@example.com", door)
    for address in addresses.values():
        client = Client()
        with CaptureQueriesContext(connection) as asked:
            seen.append(plain(answer := ask(address, door, client)))
        pages.append(plain(client.get(answer.headers["Location"])))
        statements.append([re.sub(r"'[^']*'|\[[\d, ]*\]|\d+", "?", q["sql"]) for q in asked])
    assert all(each == seen[0] for each in seen)
    assert all(each == pages[0] for each in pages)
    assert all(each == statements[0] for each in statements)
    assert seen[0][0] == 302
    assert b"If an account has that address" in pages[0][1]

    jobs = list(ProcrastinateJob.objects.order_by("id").values_list("task_name", "args"))
    assert [len(args["users"]) for _, args in jobs] == [0, 1, 1, 1, 0, 0, 0]
    assert "@" not in str(jobs)
    work()
    assert sorted(mail.to[0] for mail in mailoutbox) == sorted(
        addresses[kind].lower() for kind in ("customer", "staff", "in capitals")
    )


@DOORS
def test_address_that_is_none_is_told_so(door: str) -> None:
    for address in ("", "nobody", "a\0@example.com", f"{'x' * 300}@example.com"):
        assert ask(address, door).status_code == 200
    assert not ProcrastinateJob.objects.exists()


def test_accounts_that_share_an_address_get_a_mail_each(mailoutbox: Mails) -> None:
    names = {customer(email="both@example.com").username for _ in range(2)}
    ask("both@example.com")
    work()
    assert {mail.to[0] for mail in mailoutbox} == {"both@example.com"}
    assert {name for name in names for mail in mailoutbox if name in mail.body} == names


def test_mail_says_in_plain_text_what_it_is_for(mailoutbox: Mails) -> None:
    ask(customer(username="kim").email)
    work()
    [mail] = mailoutbox
    assert mail.subject == "A new password for Fern & Oak"
    assert mail.message().get_content_type() == "text/plain"
    assert mail.extra_headers == {"Auto-Submitted": "auto-generated"}
    for said in ("Fern & Oak", "\n    kim\n", "60 minutes from now", "ignore this mail"):
        assert said in mail.body
    assert "&amp;" not in mail.body
    assert re.search(r"until \d+ \w+ \d{4}, \d\d:\d\d UTC", str(mail.body))


def test_link_leads_to_the_door_of_its_user_whichever_was_asked_at(mailoutbox: Mails) -> None:
    kim, lee = customer(), member()
    assert link_for(kim, mailoutbox, ADMIN).startswith("/track/reset/")
    assert link_for(lee, mailoutbox, TRACK).startswith("/admin/reset/")


@DOORS
def test_link_has_our_host_whatever_the_request_says(
    door: str, settings: Settings, mailoutbox: Mails
) -> None:
    settings.ALLOWED_HOSTS = [".example.org", "balancer"]
    settings.API_THROTTLES = NONE
    kim = customer()
    for host in ("evil.example.net", "shop.example.org.evil.example.net", "evil.example.net:80"):
        assert ask(kim.email, door, headers={"Host": host}).status_code == 400
    assert not ProcrastinateJob.objects.exists()
    for host in ("shop.example.org", "shop.example.org:8443", "balancer", "evil.example.org"):
        said = {"Host": host, "X-Forwarded-Host": "evil.example.net", "X-Forwarded-Proto": "http"}
        assert ask(kim.email, door, headers=said).status_code == 302
    work()
    assert len(mailoutbox) == 4
    for mail in mailoutbox:
        assert re.search(r"^https://shop\.example\.org/track/reset/", str(mail.body), re.MULTILINE)
        assert str(mail.body).count("://") == 1


# --- how often ------------------------------------------------------------------------------------


def test_fourth_mail_of_an_hour_is_not_sent_whoever_asks(mailoutbox: Mails) -> None:
    kim, lee = customer(), customer()
    answers = [
        plain(ask(kim.email, door, REMOTE_ADDR=f"203.0.113.{number}"))
        for number, door in enumerate([TRACK] * 5)
    ]
    work()
    assert len(mailoutbox) == 3
    assert all(each == answers[0] for each in answers)
    ask(lee.email)
    work()
    assert len(mailoutbox) == 4
    assert RateCount.objects.filter(key=f"resets:user:{kim.pk}").exists()
    closing.close(kim)
    assert not RateCount.objects.filter(key__endswith=f":{kim.pk}").exists()


def test_links_that_waited_too_long_for_a_worker_leave_the_hour_s_mails(
    mailoutbox: Mails, outcomes: Outcomes
) -> None:
    kim = customer()
    for _ in range(3):
        ask(kim.email)
    with connection.cursor() as cursor:
        cursor.execute("""UPDATE procrastinate_jobs SET args = args || '{"asked_at": 0}'""")
    work()
    assert outcomes() == {"given_up": 3}
    for _ in range(4):
        ask(kim.email)
    work()
    assert len(mailoutbox) == 3
    assert outcomes() == {"given_up": 3, "sent": 3, "refused": 1}


@DOORS
def test_address_that_asks_too_fast_waits(door: str, settings: Settings) -> None:
    settings.API_THROTTLES = Limits({Scope.LOGIN: Rate(2, 60)}, None)
    assert [ask("nobody@example.com", door).status_code for _ in range(3)] == [302, 302, 429]
    assert ProcrastinateJob.objects.count() == 2


# --- without a mail server ------------------------------------------------------------------------


def test_without_a_mail_server_there_is_nothing_of_it(
    settings: Settings, mailoutbox: Mails
) -> None:
    kim = customer()
    for path, shown in ((LOGIN, ADMIN), (SIGN_IN, TRACK)):
        assert f'href="{shown}"' in Client().get(path).content.decode()
    link = link_for(kim, mailoutbox)
    ask(kim.email)
    settings.SENDS_MAIL = False
    for path in (LOGIN, SIGN_IN):
        assert "orgot" not in Client().get(path).content.decode()
    absent = Client().get("/track/no-order").content
    for path in (ADMIN, "/admin/forgotten/asked/", "/admin/reset/done/", "/admin/reset/x/y/"):
        assert Client().get(path).status_code == 404
        assert Client().post(path).status_code == 404
    for path in (TRACK, "/track/forgotten/asked", "/track/reset/done", link):
        for answer in (Client().get(path), Client().post(path)):
            assert (answer.status_code, answer.content) == (404, absent)
    assert not ask(kim.email).headers.get("Location")
    work()
    assert len(mailoutbox) == 1
