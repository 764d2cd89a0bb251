"""Lock-out after wrong passwords: by name and address, by address, by name; and how it ends."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from ipaddress import ip_network

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.management import call_command
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from orders.signin import lockout
from tests.factories import user
from tests.signin.people import LOGIN, PASSWORD, give_password, is_in, member

pytestmark = pytest.mark.django_db

LIMIT = 10
HERE, THERE = "203.0.113.9", "198.51.100.7"


def fail(username: str, times: int = 1, at: str = HERE, client: Client | None = None) -> list[int]:
    """Try wrong passwords; return the answers' status codes."""
    caller = client or Client()
    return [
        give_password(caller, username, "wrong", REMOTE_ADDR=at).status_code for _ in range(times)
    ]


def may_sign_in(username: str, at: str = HERE, client: Client | None = None) -> bool:
    """Tell whether the right password opens the admin."""
    caller = client or Client()
    return give_password(caller, username, REMOTE_ADDR=at).status_code == 302


def later(minutes: float) -> None:
    """Let time pass, as seen from what was counted."""
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=minutes))


def test_tenth_wrong_password_locks_out_and_says_until_when() -> None:
    kim = member(username="kim")
    assert fail("kim", LIMIT) == [200] * (LIMIT - 1) + [429]

    answer = give_password(Client(), "kim", REMOTE_ADDR=HERE)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert answer.headers["Content-Security-Policy"]
    [when] = re.findall(r'<time datetime="([^"]+)">', answer.content.decode())
    wait = datetime.fromisoformat(when) - timezone.now()
    assert timedelta(minutes=14) < wait <= timedelta(minutes=15)
    kim.refresh_from_db()
    assert kim.last_login is None


def test_ninth_wrong_password_does_not_lock_out() -> None:
    member(username="kim")
    fail("kim", LIMIT - 1)
    assert may_sign_in("kim")


def test_lock_is_the_same_for_a_user_that_does_not_exist() -> None:
    member(username="kim")
    answers = {}
    for name in ("kim", "nobody"):
        client = Client()
        pages = [give_password(client, name, "wrong", REMOTE_ADDR=HERE) for _ in range(LIMIT + 1)]
        answers[name] = [
            (page.status_code, _without_what_differs(page.content.decode(), name)) for page in pages
        ]
    assert answers["kim"] == answers["nobody"]


def test_wrong_name_costs_as_much_hashing_as_a_wrong_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    member(username="kim")
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    fail("kim")
    fail("nobody")
    assert hashed == ["wrong", "wrong"]


def test_lock_at_one_address_leaves_the_user_free_elsewhere() -> None:
    member(username="kim")
    member(username="lee")
    fail("kim", LIMIT)
    assert not may_sign_in("kim")
    assert may_sign_in("kim", at=THERE)
    assert may_sign_in("lee")
    assert not may_sign_in("kim")  # what was right elsewhere forgives nothing here


def test_lock_ends_by_itself_though_it_was_knocked_at() -> None:
    member(username="kim")
    fail("kim", LIMIT)
    later(10)
    assert fail("kim", 5) == [429] * 5
    later(4.9)
    assert not may_sign_in("kim")
    later(0.2)
    assert may_sign_in("kim")


def test_failures_are_forgotten_after_a_right_password() -> None:
    member(username="kim")
    fail("kim", LIMIT - 1)
    assert may_sign_in("kim")
    assert AccessAttempt.objects.count() == 0
    fail("kim", LIMIT - 1)
    assert may_sign_in("kim")


def test_another_browser_begins_no_new_count() -> None:
    member(username="kim")
    for number in range(LIMIT):
        give_password(
            Client(), "kim", "wrong", REMOTE_ADDR=HERE, HTTP_USER_AGENT=f"browser {number}"
        )
    assert not may_sign_in("kim")
    assert AccessAttempt.objects.count() == 1


def test_address_that_tries_many_names_is_locked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockout, "AT_ONE_ADDRESS", 12)
    member(username="kim")
    answers = [fail(f"name{number}")[0] for number in range(12)]
    assert answers == [200] * 11 + [429]
    assert not may_sign_in("kim")
    assert may_sign_in("kim", at=THERE)


def test_own_right_password_does_not_reset_what_the_address_has_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lockout, "AT_ONE_ADDRESS", 12)
    member(username="kim")
    for number in range(11):
        fail(f"name{number}")
        assert may_sign_in("kim")
    assert fail("name11") == [429]


def test_name_that_is_tried_from_everywhere_opens_only_to_known_browsers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lockout, "FOR_ONE_ANYWHERE", 12)
    member(username="kim")
    member(username="lee")
    known = Client()
    assert may_sign_in("kim", client=known)
    known.post("/admin/logout/")
    of_lee = Client()
    assert may_sign_in("lee", client=of_lee)

    for number in range(12):
        fail("kim", at=f"192.0.2.{number}")

    assert not may_sign_in("kim", at=THERE)
    assert not may_sign_in("kim", at=THERE, client=of_lee)
    assert may_sign_in("kim", at=THERE, client=known)
    assert may_sign_in("lee", at=THERE)


def test_known_browser_is_locked_out_for_its_own_failures() -> None:
    member(username="kim")
    known = Client()
    assert may_sign_in("kim", client=known)
    known.post("/admin/logout/")
    assert fail("kim", LIMIT, client=known)[-1] == 429
    assert not may_sign_in("kim", client=known)


def test_forged_cookie_makes_no_known_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockout, "FOR_ONE_ANYWHERE", 2)
    member(username="kim")
    known = Client()
    assert may_sign_in("kim", client=known)
    cookie = known.cookies["known_browser"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert "kim" not in cookie.value
    forged = Client()
    forged.cookies["known_browser"] = cookie.value[:-2] + "xx"
    fail("kim", 2, at=THERE)
    assert not may_sign_in("kim", client=forged)


@pytest.mark.parametrize("trusted", [False, True])
def test_header_of_a_proxy_counts_only_when_the_proxy_is_trusted(
    settings: Settings, trusted: bool
) -> None:
    if trusted:
        settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]
    member(username="kim")
    for _ in range(LIMIT):
        give_password(Client(), "kim", "wrong", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=HERE)
    counted = AccessAttempt.objects.get().ip_address
    assert counted == (HERE if trusted else "10.0.0.1")
    other = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": THERE}
    status = give_password(Client(), "kim", **other).status_code
    assert status == (302 if trusted else 429)


def test_spoofed_header_does_not_evade_the_lock(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]
    member(username="kim")
    for number in range(LIMIT):
        sent = f"192.0.2.{number}, {HERE}"  # the proxy has appended whom it was called by
        give_password(Client(), "kim", "wrong", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=sent)
    assert AccessAttempt.objects.get().failures_since_start == LIMIT
    assert not may_sign_in("kim", at=HERE)


def test_ipv6_addresses_of_one_subscriber_are_counted_together() -> None:
    member(username="kim")
    for number in range(LIMIT):
        fail("kim", at=f"2001:db8:1:2::{number + 1:x}")
    assert not may_sign_in("kim", at="2001:db8:1:2:ffff::1")
    assert may_sign_in("kim", at="2001:db8:1:3::1")


def test_customer_s_right_password_counts_as_a_wrong_one() -> None:
    customer = user(username="customer")
    customer.set_password(PASSWORD)
    customer.save()
    answers = [give_password(Client(), "customer").status_code for _ in range(LIMIT)]
    assert answers == [200] * (LIMIT - 1) + [429]


@pytest.mark.parametrize("name", ["x" * 5000, "ﬁ" * 200, "né", "a\tb", "%_\\"])
def test_strange_names_are_counted_and_not_a_fault(name: str) -> None:
    assert fail(name, LIMIT)[-1] == 429


def test_nul_in_a_name_is_refused_before_it_is_counted() -> None:
    assert fail("a\0b") == [200]
    assert AccessAttempt.objects.count() == 0


def test_what_is_kept_of_an_attempt_holds_neither_password_nor_browser() -> None:
    fail("kim")
    row = AccessAttempt.objects.values().get()
    assert (row["username"], row["user_agent"], row["get_data"], row["post_data"]) == (
        "kim",
        "",
        "",
        "",
    )


def test_old_attempts_are_swept_away_by_the_next_failure() -> None:
    fail("kim")
    later(16)
    fail("lee")
    assert [row.username for row in AccessAttempt.objects.all()] == ["lee"]


@pytest.mark.parametrize(
    "unlock",
    [
        lambda: call_command("axes_reset", verbosity=0),
        lambda: call_command("axes_reset_username", "kim", verbosity=0),
        lambda: call_command("axes_reset_ip", HERE, verbosity=0),
    ],
)
def test_operator_s_command_ends_a_lock(unlock: Callable[[], object]) -> None:
    member(username="kim")
    fail("kim", LIMIT)
    unlock()
    assert may_sign_in("kim")


def test_open_session_is_left_alone_by_a_lock() -> None:
    kim = member(username="kim")
    client = Client()
    client.force_login(kim)
    fail("kim", LIMIT)
    assert is_in(client)


def test_page_of_the_sign_in_asks_the_database_nothing(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(0):
        Client().get(LOGIN)


def _without_what_differs(page: str, name: str) -> str:
    page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)
    page = re.sub(r"<time.*?</time>", "", page)
    return page.replace(f'value="{name}"', "")
