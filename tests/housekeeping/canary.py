"""A customer who has left something in every column that can name somebody."""

import time
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import connection
from django.test import override_settings
from rest_framework.test import APIClient

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.actor import Actor
from orders.models import (
    Batch,
    Confirmation,
    Export,
    Order,
    OrderEvent,
    OrderItem,
    OrderNote,
    SavedFilter,
    StockAttempt,
    StockBaseline,
    StockMovement,
    User,
)
from orders.signin import resets
from orders.status import CancelReason, Door, HoldReason, Verb
from tests.admin.desk import carry_out, work
from tests.api.calls import create, guest, item, patch
from tests.commands.running import run
from tests.factories import OPERATOR, order, staff, user
from tests.security.callers import pair, with_token
from tests.signin.mailboxes import link_in
from tests.signin.people import with_app

MARK = "canaryfinch"  # in all that they have typed
NAME = "Petra Canaryfinch"
EMAIL = "petra@canaryfinch.example"
ADDRESS = {
    "fullName": NAME,
    "email": EMAIL,
    "address": "Canaryfinch Road 1",
    "city": "Canaryfinch Town",
    "zipCode": "CANARYFINCH 1",
}
USERNAME = "canaryfinch-petra"
PHONE = "+1 555 0199"
PHONE_BOOK = f"{NAME}, {EMAIL}, {PHONE}"  # what staff write down


@dataclass
class Canary:
    """The customer, what opens doors to them, and all that tells who they are."""

    account: User
    token: APIClient
    session: APIClient
    owned: Order  # completed
    guests: Order  # cancelled, and its stock given back
    others: Order  # of somebody else, and a note on it names the customer
    secrets: dict[str, str]


def _order(answer: Any) -> Order:
    assert answer.status_code == 201, answer.content
    return Order.objects.get(public_id=answer.json()["id"])


def live(sandbox: Sandbox) -> Canary:
    """Live through all that can happen to a customer."""
    sandbox.store.set_stock({"10": 45, "20": 7})
    ann = staff("manager", username="ann")
    desk = Actor(via=Door.ADMIN, user=ann)
    run("create_customer", "--email", EMAIL, "--username", USERNAME, "--name", NAME)
    account = User.objects.get(username=USERNAME)

    token = with_token(pair(account).access)
    owned = _order(create(token, headers={"Idempotency-Key": f"{MARK}-1"}, **ADDRESS))
    small = {"items": [item(quantity=1)], "userId": f"{MARK}-label"}
    at = {"Idempotency-Key": "2"}
    guests = _order(create(guest(), headers=at, **ADDRESS | {"email": EMAIL.upper()} | small))
    dropped = _order(create(token, **ADDRESS))
    held = lifecycle.hold(
        owned.pk, actor=desk, reason=HoldReason.ADDRESS, note=f"Rang {PHONE_BOOK}"
    )
    lifecycle.release(owned.pk, actor=desk)
    amendment = lifecycle.Amendment(
        f"{NAME}-Moved",
        held.email,
        "Canaryfinch Lane 2",
        held.city,
        held.zip_code,
        [lifecycle.Item("10", 3, held.items.get().unit_price)],
    )
    lifecycle.amend(owned.pk, amendment, actor=desk, expected_version=held.version + 1)
    lifecycle.confirm(owned.pk, actor=desk)
    lifecycle.complete(owned.pk, actor=desk)
    lifecycle.confirm(guests.pk, actor=OPERATOR)
    batch = lifecycle.open_batch(
        Verb.CANCEL,
        [guests.pk],
        actor=desk,
        reason=CancelReason.CUSTOMER,
        note=f"{NAME} wrote so",
    )
    carry_out(batch)
    work()
    assert patch(token, dropped, "CANCELLED", reason=f"{MARK} has it already").status_code == 200

    others = order(owner=None, email="someone@example.net")
    others.notes.create(text=f"Goes to the neighbour, {PHONE_BOOK}", author=ann)
    elsewhere = APIClient(REMOTE_ADDR="203.0.113.9")
    create(elsewhere, headers={"Idempotency-Key": "3"}, email="someone@example.net")
    SavedFilter.objects.create(owner=ann, name=f"All of {NAME}", query=f"q={EMAIL}")
    SavedFilter.objects.create(owner=ann, name="Pending", query="status__exact=PENDING")
    for selection in (f"Search: {EMAIL}; Status: Pending", "Status: Pending"):
        Export.objects.create(user=ann, kind="orders", selection=selection)
    lifecycle.accept_stock("20", 7, note=f"Brought back by {PHONE_BOOK}", actor=desk)
    for who in (account, ann):
        LogEntry.objects.log_actions(
            ann.pk, [who], CHANGE, change_message="Revoked the API tokens.", single_object=True
        )
    wrong = {"username": EMAIL, "password": "wrong"}
    guest().post("/api/auth/token", wrong, format="json")
    session = APIClient()
    session.force_login(account)
    with override_settings(SENDS_MAIL=True):  # a mail is yet to be sent, another's link is open
        resets.ask(EMAIL)
        resets.answer([account.pk], asked_at=int(time.time()))
        guest().get(link_in(resets.letter(account)))
    with_app(user(username=f"{USERNAME}-2", email=EMAIL))  # who must show codes, too
    for each in (owned, guests, others):
        each.refresh_from_db()
    account.refresh_from_db()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return Canary(account, token, session, owned, guests, others, secrets(account, guests))


def secrets(account: User, guests: Order) -> dict[str, str]:
    """Return all by which the customer can be told, by what it is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT key FROM otp_totp_totpdevice")
        ((app,),) = cursor.fetchall()
    return {
        "mark": MARK,
        "first name": "petra",
        "session": account.get_session_auth_hash(),
        "public id": str(account.public_id),
        "password": account.password,
        "app": app,
        "address of a guest": guests.placed_from,
        "phone": PHONE,
    }


def books() -> list[Any]:
    """Return all that must stay as it is: what was ordered, what it cost, where the stock went."""
    kept = (
        *("number", "public_id", "owner", "total", "currency", "price_source", "status"),
        *("stock_state", "stock_since", "created_at"),
    )
    return [
        [*Order.objects.order_by("pk").values(*kept)],
        [*OrderItem.objects.order_by("pk").values()],
        [*Confirmation.objects.order_by("pk").values()],
        [*StockMovement.objects.order_by("pk").values()],
        [*StockAttempt.objects.order_by("pk").values()],
        [*StockBaseline.objects.order_by("pk").values("product_id", "quantity", "at", "actor")],
        [*OrderEvent.objects.exclude(kind="erased").order_by("pk").values()],
    ]


def finished(**fields: Any) -> Order:
    """Return an order that can be erased."""
    return order(**{"email": EMAIL, "full_name": NAME, "status": "COMPLETED"} | fields)


def everything() -> dict[str, list[Any]]:
    """Return every row of ours."""
    models = (Order, OrderEvent, OrderNote, User, Batch, SavedFilter, Export, StockBaseline)
    return {str(model): list(model.objects.order_by("pk").values()) for model in models}
