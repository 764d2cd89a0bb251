"""POST /api/auth/token and what its tokens open."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings as configured
from django.contrib.sessions.models import Session
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from orders.models import Order, User
from orders.signin import sessions, tokens
from tests.api.calls import ORDERS, create, guest, patch, refusal, signed_in, url
from tests.factories import order, staff, user
from tests.signin.people import PASSWORD, code_of, customer, member, with_app

pytestmark = pytest.mark.django_db

TOKEN = "/api/auth/token"
REFRESH = "/api/auth/token/refresh"


def sign_in(username: str, password: str = PASSWORD, **more: Any) -> Any:
    return guest().post(TOKEN, {"username": username, "password": password} | more, format="json")


def renew(refresh: object) -> Any:
    return guest().post(REFRESH, {"refresh": refresh}, format="json")


def bearing(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def claims(token: str) -> dict[str, Any]:
    read: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return read


def test_customer_signs_in_and_sees_own_orders_alone(plenty: None) -> None:
    who = customer()
    order()
    pair = sign_in(who.username).json()
    assert pair.keys() == {"access", "refresh", "expiresIn"}
    assert 0 < pair["expiresIn"] <= 900
    client = bearing(pair["access"])
    mine = create(client).json()
    assert mine["userId"] == str(who.public_id)
    assert [each["id"] for each in client.get(ORDERS).json()["data"]] == [mine["id"]]
    placed = Order.objects.get(public_id=mine["id"])
    assert refusal(guest().get(url(placed))) == (404, "not_found")
    assert patch(client, placed, "CANCELLED").json()["status"] == "CANCELLED"
    who.refresh_from_db()
    assert who.last_login is not None


def test_answer_is_kept_by_nobody_and_holds_no_personal_data() -> None:
    who = customer()
    answer = sign_in(who.username)
    assert answer["Cache-Control"] == "no-store"
    read = claims(answer.json()["access"])
    assert read["sub"] == str(who.public_id)
    assert who.username not in str(read)
    assert who.email not in str(read)


@pytest.mark.parametrize("fault", ["password", "username", "inactive", "unusable"])
def test_wrong_sign_in_is_refused_in_the_same_words(fault: str) -> None:
    who = customer(is_active=fault != "inactive")
    if fault == "unusable":
        who.set_unusable_password()
        who.save()
    name = "nobody" if fault == "username" else who.username
    answer = sign_in(name, "wrong" if fault == "password" else PASSWORD)
    assert refusal(answer) == (401, "invalid_credentials")
    assert answer.json()["detail"] == "The username or the password is wrong"


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"username": "kim"},
        {"username": "kim", "password": 1},
        {"username": "k\x00m", "password": "x"},
        {"username": "kim", "password": "x" * 1025},
        {"username": "kim", "password": "x", "role": "manager"},
        [],
    ],
)
def test_malformed_sign_in_is_refused(sent: object) -> None:
    assert refusal(guest().post(TOKEN, sent, format="json")) == (400, "invalid")


def test_password_is_taken_with_its_spaces() -> None:
    who = customer()
    who.set_password(" two spaces ")
    who.save()
    assert sign_in(who.username, "two spaces").status_code == 401
    assert sign_in(who.username, " two spaces ").status_code == 200


def test_lock_out_is_the_admins(settings: Settings) -> None:
    settings.API_THROTTLES = settings.API_THROTTLES.__class__({}, None)
    who = member()
    browser = APIClient()
    for _ in range(5):
        browser.post("/admin/login/", {"username": who.username, "password": "wrong"})
    answers = [sign_in(who.username, "wrong") for _ in range(5)]
    assert [each.status_code for each in answers] == [401] * 4 + [429]
    locked = sign_in(who.username)
    assert refusal(locked) == (429, "locked_out")
    assert 0 < int(locked["Retry-After"]) <= 900
    form = {"username": who.username, "password": PASSWORD}
    assert browser.post("/admin/login/", form).status_code == 429


def test_second_factor_is_asked_for_after_the_right_password_only() -> None:
    who, _, codes = with_app(member())
    assert refusal(sign_in(who.username, "wrong")) == (401, "invalid_credentials")
    assert refusal(sign_in(who.username)) == (401, "second_factor_required")
    assert refusal(sign_in(who.username, code="000000")) == (401, "invalid_code")
    by_code = sign_in(who.username, code=codes[0])
    assert by_code.status_code == 200
    assert bearing(by_code.json()["access"]).get(ORDERS).status_code == 200
    assert refusal(sign_in(who.username, code=codes[0]))[0] in (401, 429)


def test_code_of_the_app_signs_in() -> None:
    who, secret, _ = with_app(member())
    assert sign_in(who.username, code=code_of(secret)).status_code == 200


def test_second_factor_that_staff_must_have_is_asked_for(settings: Settings) -> None:
    who = member()
    before = sign_in(who.username).json()
    settings.STAFF_REQUIRE_TOTP = True
    assert refusal(sign_in(who.username)) == (401, "second_factor_required")
    assert refusal(bearing(before["access"]).get(ORDERS)) == (401, "invalid_token")
    assert refusal(renew(before["refresh"])) == (401, "invalid_token")


@pytest.mark.parametrize("change", ["password", "inactive", "revoked", "factor", "deleted"])
def test_token_is_revoked_by(change: str) -> None:
    who = member()
    pair = sign_in(who.username).json()
    client = bearing(pair["access"])
    assert client.get(ORDERS).status_code == 200
    match change:
        case "password":
            who.set_password("another horse 9")
            who.save()
        case "inactive":
            User.objects.filter(pk=who.pk).update(is_active=False)
        case "revoked":
            tokens.revoke(who)
        case "factor":
            with_app(who)
        case "deleted":
            who.groups.clear()
            who.delete()
    refused = client.get(ORDERS)
    assert refusal(refused) == (401, "invalid_token")
    assert "Bearer" in refused["WWW-Authenticate"]
    assert refusal(renew(pair["refresh"])) == (401, "invalid_token")


def test_renewed_pair_works_and_its_sign_in_gets_no_younger() -> None:
    who = customer()
    first = sign_in(who.username).json()
    second = renew(first["refresh"]).json()
    assert bearing(second["access"]).get(ORDERS).status_code == 200
    assert claims(second["refresh"])["auth_time"] == claims(first["refresh"])["auth_time"]


@pytest.mark.parametrize(("role", "most"), [("viewer", timedelta(hours=12)), ("", timedelta(30))])
def test_sign_in_ends(role: str, most: timedelta) -> None:
    who = staff(role) if role else user()
    since = datetime.now(UTC) - most + timedelta(minutes=5)
    pair = tokens._pair(who, since=since, with_second_factor=False)
    end = int((since + most).timestamp())
    assert claims(pair.refresh)["exp"] == claims(pair.access)["exp"] == end
    assert pair.seconds <= 300
    over = tokens._pair(who, since=since - timedelta(minutes=6), with_second_factor=False)
    assert refusal(renew(over.refresh)) == (401, "invalid_token")
    assert refusal(bearing(over.access).get(ORDERS)) == (401, "invalid_token")


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b.c", "é", "refresh", "unsigned", "foreign", "subject", "audience", "stampless"],
)
def test_bad_token_is_refused(token: str) -> None:
    who = customer()
    pair = sign_in(who.username).json()
    read = claims(pair["access"])
    key = configured.SIMPLE_JWT["SIGNING_KEY"]
    made = {
        "refresh": pair["refresh"],
        "unsigned": jwt.encode(read, "", algorithm="none"),
        "foreign": jwt.encode(read, "another key of at least 32 bytes!", algorithm="HS256"),
        "subject": jwt.encode(read | {"sub": "kim"}, key, algorithm="HS256"),
        "audience": jwt.encode(read | {"aud": "another"}, key, algorithm="HS256"),
        "stampless": jwt.encode(
            {name: read[name] for name in read if name != "stamp"}, key, algorithm="HS256"
        ),
    }.get(token, token)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {made}".encode().decode("latin-1"))
    assert refusal(client.get(ORDERS)) == (401, "invalid_token")
    assert refusal(renew(pair["access"])) == (401, "invalid_token")


def test_creation_with_a_bad_token_is_refused_and_writes_nothing(plenty: None) -> None:
    assert refusal(create(bearing("x"))) == (401, "invalid_token")
    assert not Order.objects.exists()


def test_signing_in_for_tokens_makes_no_session() -> None:
    assert not sign_in(customer().username).cookies
    assert not Session.objects.exists()


@pytest.mark.parametrize("whose", ["another's", "their own"])
def test_signing_in_for_tokens_prolongs_no_session(whose: str) -> None:
    bob = customer(username="bob")
    theirs, began = signed_in(bob if whose == "their own" else member()), time.time() - 3600
    session = theirs.session
    session[sessions.BEGAN], session[sessions.SEEN] = began, time.time()
    session.save()
    answer = theirs.post(TOKEN, {"username": "bob", "password": PASSWORD}, format="json")
    assert answer.status_code == 200
    assert not answer.cookies
    assert Session.objects.get().get_decoded()[sessions.BEGAN] == began
