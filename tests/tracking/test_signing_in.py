"""Customers sign in and out: with the admin's lock-out, rate and second factor, not into it."""

import re
from urllib.parse import quote

import pytest
from axes.models import AccessAttempt
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django.fixtures import Settings

from orders.models import RateCount
from orders.signin import lockout, sessions
from orderservice.rates import Rate, Scope
from tests.factories import user
from tests.signin.people import (
    PASSWORD,
    code_of,
    customer,
    give_password,
    is_in,
    member,
    with_app,
    wrong_code,
)
from tests.tracking.visits import SIGN_IN, owned, path, signed_in, text

pytestmark = pytest.mark.django_db

CODE, SIGN_OUT = "/track/code", "/track/sign-out"
LIMIT = 10


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def sign_in(client: Client, name: str, password: str = PASSWORD, **more: str) -> tuple[int, str]:
    """Send the form; return the answer's status and where it leads."""
    answer = client.post(SIGN_IN, {"username": name, "password": password} | more)
    return answer.status_code, answer.headers.get("Location", "")


def test_owner_follows_the_absent_page_to_the_sign_in_and_back_to_the_order() -> None:
    who = customer()
    placed = owned(who)
    client = Client()
    assert client.get(path(placed)).status_code == 404
    form = client.get(f"{path(placed)}?sign-in", follow=True)
    assert form.redirect_chain == [(f"{SIGN_IN}?next={quote(path(placed), safe='')}", 302)]
    assert f'name="next" value="{path(placed)}"' in text(form)

    assert sign_in(client, who.username, next=path(placed)) == (302, path(placed))
    page = text(client.get(path(placed)))
    assert f"<bdi>{who.username}</bdi>" in page
    assert f'href="{SIGN_OUT}"' in page


def test_sign_in_without_an_order_leads_to_a_page_that_says_so() -> None:
    who = customer()
    client = Client()
    assert sign_in(client, who.username) == (302, SIGN_IN)
    assert "You are signed in" in text(client.get(SIGN_IN))


@pytest.mark.parametrize(
    "where", ["https://evil.example/", "//evil.example/x", "javascript:alert(1)", "/\\evil.example"]
)
def test_next_to_another_site_is_not_followed(where: str) -> None:
    who = customer()
    assert sign_in(Client(), who.username, next=where) == (302, SIGN_IN)
    assert "evil" not in text(Client().get(f"{SIGN_IN}?next={quote(where)}"))


def test_customer_who_signed_in_gets_nowhere_in_the_admin() -> None:
    who = customer()
    client = Client()
    assert sign_in(client, who.username, next="/admin/") == (302, "/admin/")
    for page in ("/admin/", "/admin/orders/order/", "/admin/orders/user/", "/admin/second-factor/"):
        answer = client.get(page)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/admin/login/")
    assert not is_in(client)
    assert client.get("/api/orders").json()["total"] == 0


def test_form_from_elsewhere_is_refused() -> None:
    who = customer()
    client = Client(enforce_csrf_checks=True)
    for page in (SIGN_IN, CODE, SIGN_OUT):
        assert (
            client.post(page, {"username": who.username, "password": PASSWORD}).status_code == 403
        )
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("page", [SIGN_IN, SIGN_OUT, f"{SIGN_IN}/"])
def test_pages_with_forms_come_with_their_headers(page: str) -> None:
    answer = Client().get(page)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    # With no-referrer the browser would send "Origin: null", and no form would be taken for ours.
    assert answer.headers["Referrer-Policy"] == "strict-origin"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    policy = answer.headers["Content-Security-Policy"]
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert "unfold" not in text(answer)


def test_wrong_password_is_told_without_saying_whether_the_account_exists() -> None:
    customer(username="kim")
    client = Client()
    pages = []
    for name in ("kim", "nobody"):
        answer = client.post(SIGN_IN, {"username": name, "password": "wrong"})
        assert answer.status_code == 200
        page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", text(answer))
        pages.append(page.replace(f'value="{name}"', ""))
    assert pages[0] == pages[1]
    assert "do not go together" in pages[0]


def test_inactive_customer_is_a_wrong_password() -> None:
    who = customer(is_active=False)
    assert sign_in(Client(), who.username) == (200, "")


def test_tenth_wrong_password_locks_out_at_every_door_in_the_door_s_look() -> None:
    who = customer(username="kim")
    assert [sign_in(Client(), "kim", "wrong")[0] for _ in range(LIMIT)] == [200] * 9 + [429]

    answer = Client().post(SIGN_IN, {"username": "kim", "password": PASSWORD})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert answer.headers["Cache-Control"] == "no-store"
    assert "style-src 'self'" in answer.headers["Content-Security-Policy"]
    page = text(answer)
    assert "Fern &amp; Oak" in page
    assert "orders/tracking.css" in page
    assert f'href="{SIGN_IN}"' in page
    assert "unfold" not in page
    assert "admin" not in page
    admin = text(give_password(Client(), "kim"))
    assert "unfold" in admin
    assert "tracking.css" not in admin
    who.refresh_from_db()
    assert who.last_login is None


def test_wrong_passwords_at_the_admin_count_here_too() -> None:
    customer(username="kim")
    for _ in range(LIMIT):
        give_password(Client(), "kim", "wrong")
    assert sign_in(Client(), "kim")[0] == 429


def test_browser_that_has_signed_in_here_goes_on_while_others_guess(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lockout, "FOR_ONE_ANYWHERE", 3)
    customer(username="kim")
    known = Client()
    sign_in(known, "kim")
    for number in range(3):
        form = {"username": "kim", "password": "wrong"}
        Client().post(SIGN_IN, form, REMOTE_ADDR=f"192.0.2.{number}")
    assert sign_in(Client(), "kim")[0] == 429
    assert sign_in(known, "kim")[0] == 302


def test_rate_of_the_admin_s_sign_in_holds_here(settings: Settings) -> None:
    settings.API_THROTTLES.rates[Scope.LOGIN], before = Rate(2, 60), Rate(30, 60)
    RateCount.objects.all().delete()
    try:
        who = customer()
        assert give_password(Client(), "nobody").status_code == 200
        assert sign_in(Client(), "nobody")[0] == 200
        answer = Client().post(SIGN_IN, {"username": who.username, "password": PASSWORD})
    finally:
        settings.API_THROTTLES.rates[Scope.LOGIN] = before
    assert answer.status_code == 429
    assert "too many sign-ins from your address" in text(answer)
    assert "orders/tracking.css" in text(answer)
    assert Client().get(SIGN_IN).status_code == 200


def test_customer_with_a_second_factor_must_show_it() -> None:
    who, secret, _ = with_app(customer())
    placed = owned(who)
    client = Client()
    status, where = sign_in(client, who.username, next=path(placed))
    assert (status, where) == (302, f"{CODE}?next={quote(path(placed), safe='')}")
    assert client.get(path(placed)).status_code == 404
    page = text(client.get(where))
    assert 'autocomplete="one-time-code"' in page
    assert f'name="next" value="{path(placed)}"' in page
    assert "unfold" not in page

    wrong = client.post(CODE, {"code": wrong_code(secret), "next": path(placed)})
    assert (wrong.status_code, "That code is wrong" in text(wrong)) == (200, True)
    TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    right = client.post(CODE, {"code": code_of(secret), "next": path(placed)})
    assert (right.status_code, right.headers["Location"]) == (302, path(placed))
    assert client.get(path(placed)).status_code == 200


def test_code_page_without_a_password_leads_to_the_customers_sign_in() -> None:
    assert Client().get(CODE).headers["Location"].startswith(f"{SIGN_IN}?next=")
    who, secret, _ = with_app(customer())
    client = Client()
    sign_in(client, who.username)
    answer = client.post(CODE, {"code": code_of(secret), "next": "https://evil.example/"})
    assert answer.headers["Location"] == SIGN_IN


def test_staff_who_must_have_a_second_factor_get_nothing_for_a_password(settings: Settings) -> None:
    settings.STAFF_REQUIRE_TOTP = True
    kim = member()
    client = Client()
    assert sign_in(client, kim.username)[0] == 302
    assert client.get(path(owned())).status_code == 404
    assert not is_in(client)


def test_sign_out_asks_and_then_does() -> None:
    who = customer()
    placed = owned(who)
    client = signed_in(who)
    assert "Sign out?" in text(client.get(SIGN_OUT))
    assert client.get(path(placed)).status_code == 200
    answer = client.post(SIGN_OUT)
    assert (answer.status_code, answer.headers["Location"]) == (302, SIGN_IN)
    assert client.get(path(placed)).status_code == 404


def test_session_ends_though_the_page_refreshes_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000_000.0]

    class Clock:
        @staticmethod
        def time() -> float:
            return now[0]

    monkeypatch.setattr(sessions, "time", Clock)
    who = customer()
    placed = owned(who)
    client = Client()
    sign_in(client, who.username)
    for _ in range(6):
        answer = client.get(path(placed), headers={"X-Refresh": "1"})
        assert answer.status_code == 200
        now[0] += 601
    assert client.get(path(placed), headers={"X-Refresh": "1"}).status_code == 404


def test_what_is_kept_of_an_attempt_holds_no_order_s_id() -> None:
    placed = owned()
    where = f"{SIGN_IN}?next={quote(path(placed))}"
    Client().post(where, {"username": "kim", "password": "wrong", "next": path(placed)})
    kept = AccessAttempt.objects.values().get()
    assert str(placed.public_id) not in str(kept)
    assert user().username not in str(kept)


def test_form_without_its_token_is_answered_by_a_page_of_the_shop_s() -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post(SIGN_IN, {"username": "x", "password": "y"})
    assert answer.status_code == 403
    assert "This page is out of date" in text(answer)
    assert answer.headers["Referrer-Policy"] == "strict-origin"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_form_without_its_token_elsewhere_is_answered_in_plain_text() -> None:
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "x"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (
        403,
        "text/plain; charset=utf-8",
    )
