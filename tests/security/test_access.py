"""Whose an order is, who may know of it, and what opens the staff's calls."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.actor import Actor
from orders.models import Order, OrderEvent, OrderNote
from orders.status import Door, HoldReason
from orderservice import rates
from tests.admin.desk import in_review
from tests.admin.pages import act, address
from tests.admin.pages import page as order_page
from tests.api.calls import ORDERS, create, customer, guest, patch, refusal, service, signed_in, url
from tests.factories import OPERATOR, order, order_of, staff, user
from tests.security.callers import MADE_UP, by, pair, told, with_token, without_standing
from tests.signin.people import PASSWORD, code_of, give_password, member, with_app

pytestmark = pytest.mark.django_db

BAD_CREDENTIALS = [
    "no credential",
    *(f"{kind} {fault}" for kind in ("key", "token") for fault in ("bad", "expired", "revoked")),
    *(f"session {fault}" for fault in ("bad", "expired", "revoked", "half")),
    "token refresh",
    *(f"{kind} inactive" for kind in ("key", "token", "session")),
]
TOKEN = "/api/auth/token"


@pytest.fixture
def owned() -> Order:
    """An order of a customer."""
    placed = order_of(p10=2)
    placed.owner = user()
    placed.save()
    return placed


@pytest.mark.parametrize("who", ["guest", "key", "token", "session"])
@pytest.mark.parametrize(
    ("method", "tail"),
    [("GET", ""), ("HEAD", ""), ("GET", "/events"), ("GET", "/"), ("PATCH", "/status")],
)
def test_object_access_to_what_is_another_s_is_told_from_nothing_by_no_byte(
    owned: Order, who: str, method: str, tail: str
) -> None:
    client = guest() if who == "guest" else by(who, user())
    client.get(f"{ORDERS}/{MADE_UP}")  # notes the use of a key
    sent = {"status": "CANCELLED"} if method == "PATCH" else None
    headers = {"If-None-Match": "*", "If-Match": "*"}

    answers = []
    for path in (f"{ORDERS}/{MADE_UP}{tail}", url(owned, tail)):
        with CaptureQueriesContext(connection) as asked:
            answer = client.generic(
                method,
                path,
                "" if sent is None else '{"status":"CANCELLED"}',
                "application/json",
                headers=headers,
            )
        answers.append((told(answer), len(asked)))

    assert answers[0] == answers[1]
    assert answers[1][0][0] == (401 if (who, method) == ("guest", "PATCH") else 404)
    assert not OrderEvent.objects.exists()


@pytest.mark.parametrize("credential", BAD_CREDENTIALS)
@pytest.mark.parametrize("call", ["list", "CONFIRMED", "CANCELLED", "create"])
def test_authentication_without_a_good_credential_is_refused(credential: str, call: str) -> None:
    placed, client = order_of(p10=2), without_standing(credential)
    no_credential = credential in ("no credential", *SESSIONS_THAT_ARE_NONE)
    if call == "create" and no_credential:
        return  # a guest may
    match call:
        case "list":
            answer = client.get(ORDERS)
        case "create":
            answer = create(client)
        case _:
            answer = patch(client, placed, call)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Api-Key, Bearer"
    assert Order.objects.count() == 1
    assert not OrderEvent.objects.exists()


SESSIONS_THAT_ARE_NONE = [f"session {f}" for f in ("bad", "expired", "revoked", "inactive")]


@pytest.mark.parametrize("sender", ["guest", "key", "staff"])
def test_ownership_is_not_had_by_naming_a_customer(plenty: None, sender: str) -> None:
    owner, client = customer()
    senders: dict[str, Callable[[], APIClient]] = {
        "guest": guest,
        "key": service,
        "staff": lambda: signed_in(staff("manager")),
    }
    made = create(senders[sender](), userId=str(owner.public_id)).json()
    placed = Order.objects.get(public_id=made["id"])

    assert placed.owner is None
    assert client.get(ORDERS).json()["total"] == 0
    assert refusal(patch(client, placed, "CANCELLED")) == (403, "forbidden")
    assert refusal(create(customer()[1], userId=str(owner.public_id)))[0] == 400


def test_token_endpoint_shares_the_lock_out_of_the_sign_in(settings: Settings) -> None:
    settings.API_THROTTLES = rates.NONE
    who, browser = member(), APIClient()
    wrong = {"username": who.username, "password": "wrong"}
    statuses = [guest().post(TOKEN, wrong, format="json").status_code for _ in range(10)]
    assert statuses == [401] * 9 + [429]
    assert give_password(browser, who.username).status_code == 429
    locked = guest().post(TOKEN, wrong | {"password": PASSWORD}, format="json")
    assert refusal(locked) == (429, "locked_out")
    assert int(locked["Retry-After"]) > 0


def test_token_endpoint_gives_no_token_for_a_password_alone(settings: Settings) -> None:
    settings.API_THROTTLES = rates.NONE
    who, secret, _ = with_app(member())
    sent = {"username": who.username, "password": PASSWORD}
    alone = guest().post(TOKEN, sent, format="json")
    assert refusal(alone) == (401, "second_factor_required")
    assert b"access" not in alone.content
    code = guest().post(TOKEN, sent | {"code": code_of(secret)}, format="json")
    assert (code.status_code, code.json().keys()) == (200, {"access", "refresh", "expiresIn"})


@pytest.mark.parametrize("credential", ["session", "token"])
def test_function_access_of_a_customer_ends_at_their_own_orders(
    owned: Order, sandbox: Sandbox, credential: str
) -> None:
    who = user()
    mine = order(owner=who)
    client = by(credential, who)
    listed = client.get(ORDERS, {"userId": str(owned.owner and owned.owner.public_id)}).json()
    assert (listed["total"], listed["data"]) == (0, [])
    assert [each["id"] for each in client.get(ORDERS).json()["data"]] == [str(mine.public_id)]
    for status in ("CONFIRMED", "COMPLETED"):
        assert refusal(patch(client, mine, status)) == (403, "forbidden")
        assert refusal(patch(client, owned, status)) == (404, "not_found")


@pytest.mark.parametrize("verb", ["confirm", "complete", "cancel", "hold", "release"])
def test_function_access_of_a_customer_to_the_admin_s_is_none(owned: Order, verb: str) -> None:
    assert owned.owner is not None
    client = signed_in(owned.owner)
    for answer in (
        act(client, verb, owned, *[order() for _ in range(6)]),
        client.post(address(owned, verb), {"expected_version": owned.version}),
        client.get(order_page(owned)),
    ):
        assert (answer.status_code, "/admin/login/" in answer["Location"]) == (302, True)
    assert not OrderEvent.objects.exists()


@pytest.mark.parametrize("who", ["owner", "holder of the id"])
def test_exposure_of_notes_attempts_and_staff_to_a_customer_is_none(
    sandbox: Sandbox, who: str
) -> None:
    placed, movement = in_review(sandbox)
    clerk = staff("manager", username="a-clerk")
    OrderNote.objects.create(order=placed, author=clerk, text="an internal note")
    other = order_of(p77=1)
    lifecycle.hold(
        other.pk, actor=Actor(Door.ADMIN, clerk), reason=HoldReason.FRAUD, note="a suspicion"
    )
    for each in (placed, other):
        each.refresh_from_db()
    if who == "owner":
        customer_, client = customer()
        Order.objects.update(owner=customer_)
    else:
        client = guest()

    answers: list[Any] = [
        client.get(url(each, tail)) for each in (placed, other) for tail in ("", "/events")
    ]

    assert [answer.status_code for answer in answers] == [200] * 4
    said = b"".join(answer.content for answer in answers).decode()
    for secret in ("internal note", "suspicion", "a-clerk", f"user:{clerk.pk}", str(movement.pk)):
        assert secret not in said
    for evidence in ("attempt", "fence", "quantity_before", "notes", "holdReason", "fraud"):
        assert evidence not in said
    assert movement.attempts.exists()
    rows = signed_in(user()).get(ORDERS).json()
    assert (rows["total"], OPERATOR.label in said) == (0, True)
    assert with_token(pair(user()).access).get(ORDERS).json()["data"] == []
