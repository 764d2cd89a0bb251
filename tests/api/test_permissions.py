"""Who may call what: every kind of caller with every call, on orders of two kinds."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from inventory_client.sandbox.server import Sandbox
from orders.models import Order, User
from orders.roles import ROLES
from tests.api.calls import ORDERS, guest, key_of, patch, signed_in, url, with_key
from tests.factories import order_of, staff, user

pytestmark = pytest.mark.django_db

READS = {"guest": 404, "outsider": 404, "owner": 200} | dict.fromkeys(ROLES, 200)


def caller(who: str, owner: User) -> APIClient:
    """Return a caller: staff hold a key, customers are signed in."""
    if who == "guest":
        return guest()
    if who in ROLES:
        return with_key(key_of(staff(who)))
    return signed_in(owner if who == "owner" else user())


def owned(status: str) -> Order:
    order = order_of(p10=2)
    order.owner, order.status = user(), status
    order.save()
    return order


def only(*may: str, otherwise: int = 403) -> dict[str, int]:
    """Return what everybody gets of a change to an owned order."""
    return (
        {"guest": 401, "outsider": 404, "owner": 403}
        | dict.fromkeys(ROLES, otherwise)
        | dict.fromkeys(may, 200)
    )


MATRIX: list[tuple[str, str, dict[str, int]]] = [
    ("read", "PENDING", READS),
    ("events", "PENDING", READS),
    ("list", "PENDING", dict.fromkeys(["outsider", "owner", *ROLES], 200) | {"guest": 401}),
    ("CONFIRMED", "PENDING", only("fulfilment", "manager")),
    ("COMPLETED", "CONFIRMED", only("fulfilment", "manager")),
    ("CANCELLED", "PENDING", only("manager", "owner")),
    ("CANCELLED", "CONFIRMED", only("manager")),
]


@pytest.mark.parametrize(
    ("call", "status", "who", "expected"),
    [(call, status, who, code) for call, status, row in MATRIX for who, code in row.items()],
)
def test_call_by_role_is_allowed_as_the_matrix_says(
    sandbox: Sandbox, call: str, status: str, who: str, expected: int
) -> None:
    sandbox.store.set_stock({"10": 45})
    order = owned(status)
    assert order.owner is not None
    client = caller(who, order.owner)
    calls: dict[str, Callable[[], Any]] = {
        "read": lambda: client.get(url(order)),
        "events": lambda: client.get(url(order, "/events")),
        "list": lambda: client.get(ORDERS),
    }

    answer = calls[call]() if call in calls else patch(client, order, call)

    assert answer.status_code == expected
    if expected >= 400:
        order.refresh_from_db()
        assert order.status == status


@pytest.mark.parametrize("status", ["CONFIRMED", "COMPLETED", "CANCELLED"])
def test_status_by_a_customer_who_only_holds_the_id_is_forbidden(status: str) -> None:
    order = order_of(p10=2)
    answer = patch(signed_in(user()), order, status)
    assert answer.status_code == 403


@pytest.mark.parametrize("role", ROLES)
def test_call_with_a_session_is_allowed_what_a_key_is(role: str) -> None:
    order = owned("CONFIRMED")
    expected = 200 if role in ("fulfilment", "manager") else 403
    assert patch(signed_in(staff(role)), order, "COMPLETED").status_code == expected


def test_matrix_covers_every_role() -> None:
    assert {who for _, _, row in MATRIX for who in row} == {"guest", "outsider", "owner", *ROLES}
