"""What the zygote's children do: what operators do, and trials of one kill and one fault."""

import json
import time
import urllib.request
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection

from orders import lifecycle
from orders.actor import Actor
from orders.errors import InventoryUnavailable, OrderError
from orders.models import ApiKey, Order, User
from orders.roles import sync_roles
from orders.status import UNSETTLED_CONFIRMATIONS, Door
from tests.chaos.child import steps
from tests.chaos.pace import Orders

OPERATOR = Actor.system(Door.COMMAND)


def create_key() -> str:
    """Create an API key with the role manager; return it."""
    sync_roles(apps)
    user, _ = User.objects.get_or_create(username="chaos-staff")
    user.groups.set(Group.objects.filter(name="manager"))
    _, key = ApiKey.objects.create_key(name="chaos", user=user)
    return str(key)


def sign_in() -> str:
    """Sign a manager in; return the session's cookie."""
    user, _ = User.objects.get_or_create(username="chaos-manager", is_staff=True)
    user.groups.set(Group.objects.filter(name="manager"))
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def resolve(movement: str, applied: bool) -> None:
    """Decide a review as a person who looked upstream."""
    lifecycle.resolve(
        UUID(movement), applied=applied, note="Looked its reason up upstream.", actor=OPERATOR
    )


def confirm_many(numbers: list[int]) -> None:
    """Select many orders and confirm them as one batch."""
    lifecycle.confirm_many(numbers, actor=OPERATOR)


def place(reference: str, quantities: dict[str, int]) -> int:
    """Place an order; return its number."""
    items = [lifecycle.Item(product, pieces, Decimal(1)) for product, pieces in quantities.items()]
    draft = lifecycle.OrderDraft(
        full_name="Trial",
        email="trial@example.com",
        address="1 Test Way",
        city="Springfield",
        zip_code="12345",
        items=items,
        customer_reference=reference,
    )
    while True:
        try:
            return lifecycle.place(draft, actor=Actor(via=Door.API)).pk
        except InventoryUnavailable:  # nothing was changed: a customer asks again
            time.sleep(0.1)


def trial(step: str, fault: str, product: str, control: str, backward: bool) -> None:
    """Confirm an order, or cancel a confirmed one, and die at the step; the first call is faulty.

    Whoever is not dead after that goes on until the order has settled.
    """
    number = place(f"trial-{product}", {f"{product}-a": 2, f"{product}-b": 1})
    if backward:
        lifecycle.confirm(number, actor=OPERATOR, hold=5)
    faults = ["500_before"] if step == "in_read_back" else []
    for each in [*faults, fault] if fault else faults:
        _script(control, each, f"{product}-a")
    steps.arm([step])
    verb = lifecycle.cancel if backward else lifecycle.confirm
    try:
        verb(number, actor=OPERATOR)
    except OrderError:
        return
    confirmation = Order.objects.get(pk=number).confirmations.get()
    deadline = time.monotonic() + 2 * Orders.received().pace.nap
    while confirmation.state in UNSETTLED_CONFIRMATIONS and time.monotonic() < deadline:
        lifecycle.advance(confirmation.pk, hold=0.2)
        confirmation.refresh_from_db()


def settle(until: str) -> None:
    """Advance what is due, as a worker does, until the file ``until`` is there."""
    while not Path(until).exists():
        if not lifecycle.advance_due():
            time.sleep(0.03)


def count_statements(number: int) -> int:
    """Confirm an order; return how many statements that took, without BEGIN and COMMIT."""
    counted = 0

    def count(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal counted
        counted += 1
        return execute(*arguments)

    with connection.execute_wrapper(count):
        lifecycle.confirm(number, actor=OPERATOR)
    return counted


def _script(control: str, fault: str, product: str) -> None:
    body = json.dumps({"fault": fault, "product_id": product}).encode()
    request = urllib.request.Request(  # noqa: S310 - the sandbox's address
        f"{control}/_sandbox/script", body, {"content-type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310


JOBS: dict[str, Callable[..., Any]] = {
    "create_key": create_key,
    "resolve": resolve,
    "sign_in": sign_in,
    "confirm_many": confirm_many,
    "place": place,
    "trial": trial,
    "settle": settle,
    "count_statements": count_statements,
}
