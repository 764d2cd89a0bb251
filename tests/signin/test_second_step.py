"""The second step of a sign-in: a code of the app, or a recovery code, each of them once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.db import connection
from django.db.models import F
from django.test import Client
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from orders.models import User
from orders.signin import factors, steps
from tests.signin.people import (
    CODE,
    LIST,
    LOGIN,
    PASSWORD,
    code_of,
    give_code,
    give_password,
    is_in,
    member,
    with_app,
    wrong_code,
)

pytestmark = pytest.mark.django_db


def half_in(who: User) -> Client:
    """Return a browser in which the password was given."""
    client = Client()
    answer = give_password(client, who.username)
    assert answer.headers["Location"] == f"{CODE}?next=%2Fadmin%2F"
    return client


def patient() -> None:
    """Let the time pass that wrong codes make one wait."""
    for model in (TOTPDevice, StaticDevice):
        model.objects.update(
            throttling_failure_timestamp=F("throttling_failure_timestamp") - timedelta(hours=1)
        )


def test_password_alone_opens_nothing() -> None:
    kim, _, _ = with_app(member())
    client = half_in(kim)
    assert not is_in(client)
    assert client.get("/api/orders").status_code == 401
    assert "_auth_user_id" not in client.session
    kim.refresh_from_db()
    assert kim.last_login is None


def test_password_and_code_sign_in_and_lead_where_one_was_going() -> None:
    kim, secret, _ = with_app(member())
    client = Client()
    answer = give_password(client, kim.username, path=f"{LOGIN}?next={LIST}")
    page = client.get(answer.headers["Location"]).content.decode()
    assert 'autocomplete="one-time-code"' in page
    assert f'name="next" value="{LIST}"' in page
    answer = client.post(CODE, {"code": code_of(secret), "next": LIST})
    assert (answer.status_code, answer.headers["Location"]) == (302, LIST)
    assert is_in(client)
    assert client.get("/api/orders").status_code == 200


def test_next_to_another_site_is_not_followed() -> None:
    kim, secret, _ = with_app(member())
    client = half_in(kim)
    answer = client.post(CODE, {"code": code_of(secret), "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/admin/"


def test_code_may_be_typed_with_a_space() -> None:
    kim, secret, _ = with_app(member())
    code = code_of(secret)
    assert give_code(half_in(kim), f" {code[:3]} {code[3:]} ").status_code == 302


def test_code_that_was_used_is_refused() -> None:
    kim, secret, _ = with_app(member())
    code = code_of(secret)
    assert give_code(half_in(kim), code).status_code == 302
    second = half_in(kim)
    answer = give_code(second, code)
    assert answer.status_code == 200
    assert "used already" in answer.content.decode()
    assert not is_in(second)


@pytest.mark.usefixtures("committed_db")
def test_code_that_two_browsers_send_at_once_signs_one_in() -> None:
    kim, secret, _ = with_app(member())
    browsers = [half_in(kim) for _ in range(4)]
    code = code_of(secret)

    def send(browser: Client) -> int:
        try:
            return give_code(browser, code).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(send, browsers)) == [200, 200, 200, 302]


@pytest.mark.parametrize("code", ["", "x", "12345", "1234567", "١٢٣٤٥٦", "-12345", "9" * 41])
def test_nonsense_is_refused(code: str) -> None:
    kim, _, _ = with_app(member())
    client = half_in(kim)
    assert give_code(client, code).status_code == 200
    assert not is_in(client)


def test_wrong_codes_make_the_next_one_wait() -> None:
    kim, secret, _ = with_app(member())
    client = half_in(kim)
    for _ in range(3):
        give_code(client, wrong_code(secret))
        TOTPDevice.objects.update(
            throttling_failure_timestamp=F("throttling_failure_timestamp") - timedelta(seconds=2)
        )
    answer = give_code(client, code_of(secret))
    assert "Too many wrong codes. Try again in 2 s." in answer.content.decode()
    assert not is_in(client)
    patient()
    assert give_code(client, code_of(secret)).status_code == 302


def test_wrong_codes_count_toward_the_lock_out_with_wrong_passwords() -> None:
    kim, secret, _ = with_app(member(username="kim"))
    for _ in range(4):
        give_password(Client(), "kim", "wrong")
    client = half_in(kim)  # a right password forgives nothing before the code
    for _ in range(5):
        assert give_code(client, wrong_code(secret)).status_code == 200
        patient()
    assert give_code(client, wrong_code(secret)).status_code == 429
    patient()
    assert give_code(client, code_of(secret)).status_code == 429
    assert give_password(Client(), "kim").status_code == 429
    assert not is_in(client)
    assert AccessAttempt.objects.get().failures_since_start == 10


def test_right_code_forgets_the_failures() -> None:
    kim, secret, _ = with_app(member(username="kim"))
    client = half_in(kim)
    give_code(client, wrong_code(secret))
    patient()
    give_code(client, code_of(secret))
    assert not AccessAttempt.objects.exists()


def test_recovery_code_signs_in_once() -> None:
    kim, _, codes = with_app(member())
    client = half_in(kim)
    assert give_code(client, codes[3]).status_code == 302
    assert is_in(client)
    assert factors.recovery_codes_left(kim) == 9
    assert give_code(half_in(kim), codes[3]).status_code == 200
    patient()
    assert give_code(half_in(kim), codes[4].replace(" ", "-")).status_code == 302


def test_recovery_code_of_somebody_else_is_refused() -> None:
    kim, _, _ = with_app(member())
    _, _, codes = with_app(member())
    assert give_code(half_in(kim), codes[0]).status_code == 200


def test_recovery_codes_are_kept_as_hashes() -> None:
    _, _, codes = with_app(member())
    kept = set(StaticToken.objects.values_list("token", flat=True))
    assert len(kept) == len(codes) == 10
    assert not kept & {code.replace(" ", "") for code in codes}


def test_code_after_five_minutes_needs_the_password_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kim, secret, _ = with_app(member())
    client = half_in(kim)
    monkeypatch.setattr(steps, "PATIENCE", -1)
    answer = give_code(client, code_of(secret))
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{LOGIN}?next=/admin/")
    assert not is_in(client)


@pytest.mark.parametrize("change", ["password", "inactive"])
def test_code_after_the_account_has_changed_is_refused(change: str) -> None:
    kim, secret, _ = with_app(member())
    client = half_in(kim)
    if change == "password":
        kim.set_password("another battery 9")
    kim.is_active = change != "inactive"
    kim.save()
    assert give_code(client, code_of(secret)).headers["Location"] == f"{LOGIN}?next=/admin/"
    assert not is_in(client)


def test_code_page_without_a_password_leads_to_the_sign_in() -> None:
    for answer in (Client().get(CODE), give_code(Client(), "123456")):
        assert (answer.status_code, answer.headers["Location"]) == (302, f"{LOGIN}?next=/admin/")


def test_code_of_a_form_from_elsewhere_is_refused() -> None:
    kim, secret, _ = with_app(member())
    client = Client(enforce_csrf_checks=True)
    client.get(LOGIN)
    token = client.cookies["csrftoken"].value
    give_password(client, kim.username, headers={"X-CSRFToken": token})
    assert give_code(client, code_of(secret)).status_code == 403


def test_half_signed_in_as_one_while_another_is_in_becomes_the_other_after_the_code() -> None:
    lee = member(username="lee")
    kim, secret, _ = with_app(member(username="kim"))
    client = Client()
    client.force_login(lee)
    give_password(client, "kim")
    assert client.session["_auth_user_id"] == str(lee.pk)
    give_code(client, code_of(secret))
    assert client.session["_auth_user_id"] == str(kim.pk)


def test_session_gets_another_key_with_the_code() -> None:
    kim, secret, _ = with_app(member())
    client = half_in(kim)
    before = client.session.session_key
    give_code(client, code_of(secret))
    assert client.session.session_key != before


def test_session_that_is_older_than_the_app_must_show_a_code() -> None:
    kim = member()
    client = Client()
    client.force_login(kim)
    assert is_in(client)
    _, secret, _ = with_app(kim)

    assert not is_in(client)
    assert client.get("/api/orders").json()["code"] == "second_factor_required"
    answer = client.get(LIST, follow=True)
    assert answer.redirect_chain[-1] == (f"{CODE}?next=%2Fadmin%2Forders%2Forder%2F", 302)
    assert give_code(client, code_of(secret)).status_code == 302
    assert is_in(client)


def test_session_of_an_app_that_was_replaced_must_show_a_code() -> None:
    kim, secret, _ = with_app(member())
    client = half_in(kim)
    give_code(client, code_of(secret))
    assert is_in(client)
    with_app(kim)
    assert not is_in(client)


def test_unconfirmed_app_is_no_second_factor() -> None:
    kim = member()
    TOTPDevice.objects.create(user=kim, confirmed=False)
    assert give_password(Client(), kim.username, PASSWORD).headers["Location"] == "/admin/"
