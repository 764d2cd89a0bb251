"""The page of one's own second factor: set up, replaced, turned off; and where it is a must."""

import re
from base64 import b32encode
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django.fixtures import Settings

from orders.models import User
from orders.signin import factors
from tests.factories import user
from tests.signin.people import (
    LIST,
    PAGE,
    code_of,
    give_code,
    give_password,
    is_in,
    member,
    with_app,
    wrong_code,
)

pytestmark = pytest.mark.django_db


def signed_in(who: User) -> Client:
    """Return a browser in which somebody without an app is signed in."""
    client = Client()
    client.force_login(who)
    return client


def fully_in(who: User, secret: str) -> Client:
    """Return a browser in which somebody with an app is signed in; uses the present code up."""
    client = Client()
    give_password(client, who.username)
    assert give_code(client, code_of(secret)).status_code == 302
    return client


def press(client: Client, action: str, code: str) -> Any:
    return client.post(PAGE, {"action": action, "code": code})


def secret_of(client: Client) -> str:
    """Return the secret that the page shows, having read it off the page."""
    page = client.get(PAGE)
    [shown] = re.findall(r"<code[^>]*>([A-Z2-7 ]+)</code>", page.content.decode())
    kept: str = client.session["enrolling"]
    assert shown.replace(" ", "") == b32encode(bytes.fromhex(kept)).decode()
    return kept


def key_of(who: User) -> str:
    """Return the secret of somebody's app."""
    return str(TOTPDevice.objects.get(user=who).key)


def recovery_codes(page: Any) -> list[str]:
    return re.findall(r"<code>([\d ]+)</code>", page.content.decode())


def test_app_is_set_up_with_a_code_and_recovery_codes_are_shown_once() -> None:
    kim = member(username="kim")
    client = signed_in(kim)
    page = client.get(PAGE).content.decode()
    picture = page[page.index("<svg") : page.index("</svg>")]
    assert "<path" in picture
    assert "style" not in picture
    assert "otpauth://totp/Order%20desk%3Akim?secret=" in page
    secret = secret_of(client)
    assert not TOTPDevice.objects.exists()

    answer = press(client, "confirm", code_of(secret))
    codes = recovery_codes(answer)
    assert len(set(codes)) == 10
    assert "no-store" in answer.headers["Cache-Control"]
    assert is_in(client)
    again = client.get(PAGE).content.decode()
    assert "The second factor is on" in again
    assert codes[0] not in again
    assert secret not in again
    assert LogEntry.objects.get().change_message == "Set up a second factor."

    other = Client()
    give_password(other, "kim")
    assert not is_in(other)
    assert give_code(other, codes[0]).status_code == 302
    assert is_in(other)


def test_code_that_set_the_app_up_does_not_sign_in() -> None:
    kim = member()
    client = signed_in(kim)
    code = code_of(secret_of(client))
    press(client, "confirm", code)
    other = Client()
    give_password(other, kim.username)
    assert give_code(other, code).status_code == 200
    assert not is_in(other)


def test_wrong_code_sets_nothing_up_and_keeps_the_secret() -> None:
    client = signed_in(member())
    secret = secret_of(client)
    answer = press(client, "confirm", wrong_code(secret))
    assert "That code is wrong" in answer.content.decode()
    assert not TOTPDevice.objects.exists()
    assert secret_of(client) == secret


def test_secret_of_another_session_can_not_be_brought_along() -> None:
    client = signed_in(member())
    mine = factors.new_secret()
    client.get(PAGE)
    client.post(PAGE, {"action": "confirm", "code": code_of(mine), "secret": mine})
    assert not TOTPDevice.objects.exists()


def test_setting_up_signs_out_nobody_here_and_makes_other_sessions_show_a_code() -> None:
    kim = member()
    here, there = signed_in(kim), signed_in(kim)
    press(here, "confirm", code_of(secret_of(here)))
    assert is_in(here)
    assert not is_in(there)


def test_page_opens_after_the_code_alone_where_there_is_an_app() -> None:
    kim, _, _ = with_app(member())
    older = signed_in(kim)
    answer = older.get(PAGE, follow=True)
    assert answer.redirect_chain[-1][0].startswith("/admin/code/")
    for action in ("renew", "replace", "remove", "confirm"):
        press(older, action, "123456")
    assert factors.device_of(kim) is not None
    assert "enrolling" not in older.session


@pytest.mark.parametrize("who", ["guest", "customer"])
def test_page_is_for_staff_alone(who: str) -> None:
    client = Client() if who == "guest" else signed_in(user())
    for answer in (client.get(PAGE), press(client, "confirm", "123456")):
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/admin/login/")
    assert not TOTPDevice.objects.exists()


@pytest.mark.parametrize("action", ["renew", "replace", "remove"])
def test_change_without_a_right_code_is_refused_and_counted(action: str) -> None:
    kim, secret, codes = with_app(member())
    client = fully_in(kim, secret)
    for code in ("", wrong_code(secret), code_of(secret)):  # the last was used to sign in
        answer = press(client, action, code)
        assert answer.status_code == 200
        assert 'role="alert"' in answer.content.decode()
        TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    assert factors.device_of(kim) is not None
    assert factors.recovery_codes_left(kim) == 10
    assert press(client, action, codes[0]).status_code in (200, 302)


def test_new_recovery_codes_take_the_old_ones_place() -> None:
    kim, secret, old = with_app(member())
    client = fully_in(kim, secret)
    new = recovery_codes(press(client, "renew", code_of(secret, 1)))
    assert len(new) == 10
    other = Client()
    give_password(other, kim.username)
    assert give_code(other, old[1]).status_code == 200
    StaticDevice.objects.update(throttling_failure_count=0)
    assert give_code(other, new[1]).status_code == 302
    assert is_in(client)


def test_other_app_takes_the_old_one_s_place_once_it_is_confirmed() -> None:
    kim, secret, codes = with_app(member())
    client = fully_in(kim, secret)
    assert press(client, "replace", codes[0]).status_code == 302
    new = secret_of(client)
    assert key_of(kim) == secret
    press(client, "confirm", code_of(new))
    [device] = TOTPDevice.objects.filter(user=kim)
    assert device.key == new != secret
    assert is_in(client)


def test_replacing_can_be_called_off() -> None:
    kim, secret, codes = with_app(member())
    client = fully_in(kim, secret)
    press(client, "replace", codes[0])
    press(client, "cancel", "")
    assert "The second factor is on" in client.get(PAGE).content.decode()
    assert key_of(kim) == secret


def test_second_factor_is_turned_off_with_a_code() -> None:
    kim, secret, codes = with_app(member())
    client = fully_in(kim, secret)
    press(client, "remove", codes[0])
    assert factors.device_of(kim) is None
    assert factors.recovery_codes_left(kim) == 0
    assert is_in(client)
    assert give_password(Client(), kim.username).headers["Location"] == "/admin/"
    assert LogEntry.objects.get().change_message == "Turned the second factor off."


# --- STAFF_REQUIRE_TOTP --------------------------------------------------------------------------


@pytest.fixture
def must(settings: Settings) -> None:
    """Make the second factor a must for staff."""
    settings.STAFF_REQUIRE_TOTP = True


@pytest.mark.usefixtures("must")
@pytest.mark.parametrize(
    "path", ["/admin/", LIST, "/admin/password_change/", "/admin/orders/user/", "/admin/search/"]
)
def test_staff_without_an_app_are_sent_to_set_one_up_before_anything_else(path: str) -> None:
    client = Client()
    give_password(client, member().username)
    answer = client.get(path, follow=True)
    assert answer.redirect_chain[-1][0].startswith(PAGE)
    page = answer.content.decode()
    assert "Staff need a second factor here." in page
    assert 'id="nav-sidebar"' not in page


@pytest.mark.usefixtures("must")
def test_staff_without_an_app_can_do_nothing_through_the_api_or_by_post() -> None:
    client = signed_in(member())
    assert client.get("/api/orders").json()["code"] == "second_factor_required"
    assert client.post(LIST, {"action": "confirm"}).status_code == 302
    assert client.post("/admin/logout/").status_code == 200
    assert "_auth_user_id" not in client.session


@pytest.mark.usefixtures("must")
def test_staff_who_have_set_an_app_up_go_on() -> None:
    client = signed_in(member())
    page = client.get(f"{PAGE}?next={LIST}")
    assert f'name="next" value="{LIST}"' in page.content.decode()
    code = code_of(client.session["enrolling"])
    answer = client.post(PAGE, {"action": "confirm", "code": code, "next": LIST})
    assert f'href="{LIST}"' in answer.content.decode()
    assert is_in(client)


@pytest.mark.usefixtures("must")
def test_second_factor_that_is_a_must_can_not_be_turned_off() -> None:
    kim, secret, codes = with_app(member())
    client = fully_in(kim, secret)
    assert "Turn it off" not in client.get(PAGE).content.decode()
    press(client, "remove", codes[0])
    assert factors.device_of(kim) is not None


@pytest.mark.usefixtures("must")
def test_customer_needs_no_app_for_a_session_of_the_api() -> None:
    client = signed_in(user())
    assert client.get("/api/orders").status_code == 200
