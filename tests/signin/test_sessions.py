"""Sessions end: twelve hours after the sign-in, and when nothing was done for an hour."""

import time
from collections.abc import Callable

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from orders.models import User
from orders.signin import sessions
from tests.signin.people import LIST, LOGIN, PASSWORD, give_password, is_in, member

pytestmark = pytest.mark.django_db

MINUTE, HOUR = 60.0, 3600.0
Wait = Callable[[float], None]


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Wait:
    """Let seconds pass, for sessions."""
    now = [time.time()]

    class Clock:
        @staticmethod
        def time() -> float:
            return now[0]

    monkeypatch.setattr(sessions, "time", Clock)

    def passed(seconds: float) -> None:
        now[0] += seconds

    return passed


@pytest.fixture
def kim() -> User:
    return member(username="kim")


@pytest.fixture
def client(kim: User, wait: Wait) -> Client:
    """Return a browser in which Kim has just signed in."""
    browser = Client()
    give_password(browser, "kim")
    return browser


def test_session_ends_when_nothing_was_done_for_an_hour(client: Client, wait: Wait) -> None:
    wait(HOUR - 1)
    assert is_in(client)
    wait(HOUR + 1)
    answer = client.get(LIST, follow=True)
    assert answer.redirect_chain[-1] == (f"{LOGIN}?next={LIST}", 302)
    assert "Nothing was done for 60 minutes, so you were signed out." in answer.content.decode()
    assert not is_in(client)


def test_session_ends_twelve_hours_after_the_sign_in_though_it_was_busy(
    client: Client, wait: Wait
) -> None:
    for _ in range(24):
        wait(HOUR / 2 - 1)
        assert is_in(client)
    wait(MINUTE)
    answer = client.get(LIST, follow=True)
    assert "Your working day here is over, so you were signed out." in answer.content.decode()


def test_session_that_ended_is_gone_from_the_database(client: Client, wait: Wait) -> None:
    key = client.cookies[django_settings.SESSION_COOKIE_NAME].value
    wait(HOUR + 1)
    client.get(LIST)
    assert not Session.objects.filter(pk=key).exists()


def test_signing_in_again_begins_a_new_time(client: Client, wait: Wait) -> None:
    for _ in range(12):
        wait(HOUR - 1)
        assert is_in(client)
    give_password(client, "kim")
    wait(HOUR - 1)
    assert is_in(client)


def test_idle_time_is_a_setting(client: Client, wait: Wait, settings: Settings) -> None:
    settings.SESSION_IDLE_SECONDS = 5 * MINUTE
    wait(5 * MINUTE + 1)
    assert not is_in(client)


def test_page_that_refreshes_itself_keeps_no_session_open(client: Client, wait: Wait) -> None:
    for _ in range(6):
        client.get(LIST, headers={"HX-Request": "true"})
        wait(HOUR / 6 + 1)
    assert not is_in(client)


def test_session_of_the_api_ends_too(client: Client, wait: Wait) -> None:
    assert client.get("/api/orders").status_code == 200
    wait(HOUR + 1)
    answer = client.get("/api/orders")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert "messages" not in answer.cookies


def test_session_from_before_begins_its_time_when_it_is_seen(kim: User, wait: Wait) -> None:
    client = Client()
    client.force_login(kim)
    session = client.session
    del session["signed_in_at"]
    session.save()
    assert is_in(client)
    wait(HOUR + 1)
    assert not is_in(client)


def test_activity_is_written_down_once_a_minute(
    client: Client, wait: Wait, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    seen = client.session["seen_at"]
    wait(59)
    client.get(LIST)
    assert client.session["seen_at"] == seen
    wait(2)
    client.get(LIST)
    assert client.session["seen_at"] == seen + 61


def test_other_sessions_end_with_a_changed_password(client: Client, kim: User) -> None:
    other = Client()
    give_password(other, "kim")
    new = "another battery 9"
    client.post(
        "/admin/password_change/",
        {"old_password": PASSWORD, "new_password1": new, "new_password2": new},
    )
    assert is_in(client)
    assert not is_in(other)


def test_answer_without_a_session_does_not_vary_by_cookie() -> None:
    assert "Cookie" not in Client().get("/health").headers.get("Vary", "")


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/", "/track/x", "/api/orders"])
@pytest.mark.parametrize("key", [r"\000" * 8, r"aaaaaaaa\000", r"\377\376aaaaaaaa", "x" * 4000])
def test_session_of_no_key_is_none(path: str, key: str) -> None:
    without = Client().get(path)
    answer = Client().get(path, headers={"Cookie": f'sessionid="{key}"'})
    assert answer.status_code == without.status_code
    assert answer.status_code < 500
