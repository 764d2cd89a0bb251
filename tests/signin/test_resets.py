"""A link for a new password: what it opens, how it ends, and what ends with the old password."""

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.auth.tokens import default_token_generator
from django.db import OperationalError, connection
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django.fixtures import Settings

from orders.models import User
from orders.signin import closing, history, resets
from orderservice.rates import NONE, Limits, Rate, Scope
from tests.canary import written
from tests.factories import user
from tests.processes import wait_for
from tests.security.callers import pair, with_token
from tests.signin.mailboxes import (
    ADMIN,
    DOORS,
    NEW,
    TRACK,
    Mails,
    ask,
    choose,
    link_for,
    link_in,
    opened,
    work,
)
from tests.signin.people import (
    LOGIN,
    code_of,
    customer,
    give_code,
    give_password,
    is_in,
    member,
    with_app,
    wrong_code,
)
from tests.tracking.visits import SIGN_IN, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("with_mail")]


def reset(who: User, mails: Mails, client: Client | None = None) -> Any:
    """Go all the way to the new password; return the last answer."""
    client = client or Client()
    return choose(opened(link_for(who, mails), client), NEW, client)


def test_customer_chooses_a_new_password_and_is_signed_in_nowhere(mailoutbox: Mails) -> None:
    kim = customer()
    elsewhere, half, here = signed_in(kim), Client(), Client()
    bearer = with_token(pair(kim).access)
    assert bearer.get("/api/orders").status_code == 200
    token = link_for(kim, mailoutbox).split("/")[-1]
    form = opened(link_in(mailoutbox[-1]), here)
    assert token not in form
    page = here.get(form)
    assert f'value="{kim.username}" autocomplete="username"' in page.content.decode()
    assert token not in page.content.decode()

    done = choose(form, NEW, here)

    assert (done.status_code, done.headers["Location"]) == (302, "/track/reset/done")
    assert "Your password is changed" in here.get("/track/reset/done").content.decode()
    assert "_auth_user_id" not in here.session
    assert "_password_reset_token" not in here.session
    assert "You are signed in" not in elsewhere.get(SIGN_IN).content.decode()
    assert bearer.get("/api/orders").status_code == 401
    assert give_password(half, kim.username, path=SIGN_IN).status_code == 200
    assert give_password(half, kim.username, NEW, path=SIGN_IN).status_code == 302
    [entry] = LogEntry.objects.all()
    assert (entry.user, entry.object_id) == (kim, str(kim.pk))
    assert entry.change_message == "Chose a new password by a link in a mail."


def test_second_factor_stays_and_what_waits_for_a_code_does_not(mailoutbox: Mails) -> None:
    kim, secret, _ = with_app(member())
    half, here = Client(), Client()
    give_password(half, kim.username)
    form = opened(link_for(kim, mailoutbox), here)
    assert "at least 8 characters" in here.get(form).content.decode()
    done = choose(form, NEW, here)
    assert done.headers["Location"] == "/admin/reset/done/"
    assert give_code(half, code_of(secret)).headers["Location"].startswith(LOGIN)
    assert not is_in(here)
    assert give_password(here, kim.username, NEW).headers["Location"].startswith("/admin/code/")
    assert not is_in(here)
    assert give_code(here, code_of(secret)).status_code == 302
    assert is_in(here)


def test_weak_or_mistyped_password_is_refused_and_the_link_goes_on(mailoutbox: Mails) -> None:
    kim, client = customer(), Client()
    form = opened(link_for(kim, mailoutbox), client)
    for first, second in (("12345678", None), (NEW, f"{NEW}!"), ("", None)):
        answer = choose(form, first, client, second)
        assert answer.status_code == 200
        assert 'role="alert"' in answer.content.decode()
    assert choose(form, NEW, client).status_code == 302


def has_ended(path: str) -> bool:
    """Tell whether a link says that it no longer works."""
    return "This link no longer works" in Client().get(path).content.decode()


def test_link_works_once_and_all_others_end_with_it(mailoutbox: Mails) -> None:
    kim, first, second = customer(), Client(), Client()
    other = link_for(kim, mailoutbox)
    link = link_for(kim, mailoutbox)
    forms = [opened(link, each) for each in (first, second)]
    assert choose(forms[0], NEW, first).status_code == 302
    late = choose(forms[1], "another horse altogether", second)
    assert "This link no longer works" in late.content.decode()
    assert has_ended(link)
    assert has_ended(other)
    kim.refresh_from_db()
    assert kim.check_password(NEW)


def somebody_waits_for_us() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks"
            " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])


def test_link_used_twice_at_once_sets_one_password(
    committed_db: None, mailoutbox: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    kim, browsers = customer(), {NEW: Client(), f"{NEW} altogether": Client()}
    link = link_for(kim, mailoutbox)
    forms = {password: opened(link, client) for password, client in browsers.items()}
    note, first = history.note, [True]

    def slow(user: User, message: str) -> None:
        if first and first.pop():  # until the other can't go on without us
            wait_for(somebody_waits_for_us)
        note(user, message)

    def send(password: str) -> Any:
        try:
            return choose(forms[password], password, browsers[password])
        finally:
            connection.close()

    monkeypatch.setattr(history, "note", slow)
    with ThreadPoolExecutor(2) as pool:
        answers = dict(zip(forms, pool.map(send, forms), strict=True))
    kim.refresh_from_db()
    [winner] = [password for password, answer in answers.items() if answer.status_code == 302]
    [late] = [answer for password, answer in answers.items() if password != winner]
    assert "This link no longer works" in late.content.decode()
    assert kim.check_password(winner)
    assert LogEntry.objects.count() == 1


def test_passwords_that_come_too_fast_wait(settings: Settings, mailoutbox: Mails) -> None:
    settings.API_THROTTLES = NONE
    kim, client = customer(), Client()
    form = opened(link_for(kim, mailoutbox), client)
    settings.API_THROTTLES = Limits({Scope.LOGIN: Rate(2, 60)}, None)
    assert [choose(form, "short", client).status_code for _ in range(3)] == [200, 200, 429]


def test_link_ends_after_an_hour(mailoutbox: Mails, monkeypatch: pytest.MonkeyPatch) -> None:
    kim, client = customer(), Client()
    link = link_for(kim, mailoutbox)
    form = opened(link, client)
    now = default_token_generator._now()
    monkeypatch.setattr(
        default_token_generator, "_now", lambda: now.fromtimestamp(now.timestamp() + 3605)
    )
    assert has_ended(link)
    assert "no longer works" in choose(form, NEW, client).content.decode()


NO_MAIL = ["closed", "switched off", "without a password", "without an address"]


@pytest.mark.parametrize("what", [*NO_MAIL, "signed in", "moved"])
def test_link_ends_when_its_account_does_or_changes(what: str, mailoutbox: Mails) -> None:
    kim, client = customer(), Client()
    link = link_for(kim, mailoutbox)
    form = opened(link, client)
    ask(kim.email)  # a mail that is yet to be sent
    if what == "closed":
        closing.close(kim)
    elif what == "switched off":
        User.objects.filter(pk=kim.pk).update(is_active=False)
    elif what == "without a password":
        User.objects.filter(pk=kim.pk).update(password=make_password(None))
    elif what == "without an address":
        User.objects.filter(pk=kim.pk).update(email="")
    elif what == "signed in":
        give_password(Client(), kim.username, path=SIGN_IN)
    else:
        User.objects.filter(pk=kim.pk).update(email="new@example.com")
    before = User.objects.values().get(pk=kim.pk)

    assert has_ended(link)
    assert "no longer works" in choose(form, NEW, client).content.decode()

    assert User.objects.values().get(pk=kim.pk) == before
    work()
    assert len(mailoutbox) == (1 if what in NO_MAIL else 2)


def test_link_is_none_for_who_has_no_password_to_forget() -> None:
    service = user()
    service.set_unusable_password()
    service.save()
    assert has_ended(link_in(resets.letter(service)))


@pytest.mark.parametrize("path", ["x/y", "MQ/y", "MQ/set-password", "%00/y", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk/y"])  # fmt: skip # noqa: E501
def test_made_up_link_no_longer_works(path: str) -> None:
    for door in ("/admin/reset", "/track/reset"):
        assert has_ended(f"{door}/{path}/")


def test_lock_out_ends_where_the_password_was_reset_but_not_with_a_second_factor(
    mailoutbox: Mails,
) -> None:
    kim, (lee, secret, _) = customer(), with_app(member())
    for _ in range(10):
        give_password(Client(), kim.username, "wrong", path=SIGN_IN)
    give_password(Client(), kim.username, "wrong", path=SIGN_IN, REMOTE_ADDR="203.0.113.9")
    client = Client()
    give_password(client, lee.username)
    for _ in range(9):
        give_password(Client(), lee.username, "wrong")
    give_code(client, wrong_code(secret))
    reset(kim, mailoutbox)
    reset(lee, mailoutbox)
    assert give_password(Client(), kim.username, NEW, path=SIGN_IN).status_code == 302
    assert give_password(Client(), lee.username, NEW).status_code == 429
    assert AccessAttempt.objects.get(username=kim.username).ip_address == "203.0.113.9"


# --- what is told ---------------------------------------------------------------------------------


def test_pages_are_kept_by_nobody_and_refer_to_nothing(mailoutbox: Mails) -> None:
    kim, lee = customer(), member()
    links = [link_for(kim, mailoutbox), link_for(lee, mailoutbox)]
    client = Client()
    forms = [opened(link, client) for link in links[:1]] + [opened(links[1], Client())]
    asked, done = "forgotten/asked", "reset/done"
    pages = [f"/{door}/{name}/" for door in ("admin", "track") for name in (asked, done)]
    for path in (ADMIN, TRACK, *pages, *links, *forms, "/admin/reset/x/y/"):
        answer = Client().get(path)
        assert "no-store" in answer.headers["Cache-Control"], path
        assert answer.headers["Referrer-Policy"] == "strict-origin", path
        policy = answer.headers["Content-Security-Policy"]
        assert "form-action 'self'" in policy, path
        assert ("unsafe-eval" in policy) == path.startswith("/admin/"), path
        assert "unsafe-inline" not in policy, path


def test_token_and_address_stand_in_no_log_line_and_in_no_job(
    mailoutbox: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What Django logs of SQL in development shows the parameters of each statement.
    monkeypatch.setattr(logging.getLogger("django.db.backends"), "disabled", True)
    kim = customer()
    with written() as lines:
        ask(kim.email)
        jobs = str(ProcrastinateJob.objects.values_list("args", flat=True)[0])
        link = link_for(kim, mailoutbox)
        client = Client()
        choose(opened(link, client), NEW, client)
        assert has_ended(link)
    told = "\n".join(lines) + jobs
    assert "reset_mail_sent" in told
    assert "track/reset/<uidb64>/<token>" in told
    assert link.split("/")[-1] not in told
    assert kim.email not in told
    assert kim.username not in told


@DOORS
def test_form_is_a_503_while_no_job_can_be_written(
    door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object) -> None:
        raise OperationalError("away")

    client = Client(raise_request_exception=False)
    with connection.execute_wrapper(
        lambda execute, sql, *rest: away() if "procrastinate_defer" in sql else execute(sql, *rest)
    ):
        answers = [ask(each, door, client) for each in (customer().email, "nobody@example.com")]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert answers[0].content == answers[1].content
