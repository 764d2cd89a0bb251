"""Visitors of the tracking pages, and what they come to see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.test import Client

from orders.models import Order, OrderEvent, User
from tests.factories import order_of, user

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

SIGN_IN = "/track/sign-in"


def path(order: Order) -> str:
    """Return where an order is shown."""
    return f"/track/{order.public_id}"


def signed_in(who: User) -> Client:
    """Return a browser in which somebody is signed in."""
    client = Client()
    client.force_login(who)
    return client


def owned(who: User | None = None) -> Order:
    """Return an order of somebody's account."""
    order = order_of("24.50", p10=2)
    order.owner = who or user()
    order.save()
    return order


def happened(order: Order, kind: str, **fields: Any) -> None:
    """Let something have happened to an order."""
    OrderEvent.objects.create(
        order=order, kind=kind, **{"actor": "user:1", "via": "admin", "data": {}} | fields
    )


def text(answer: Response) -> str:
    """Return a page's markup."""
    return answer.content.decode()


def in_state(status: str, stock: str = "clear", *kinds: str) -> Order:
    """Return an order that has come so far, with events of these kinds."""
    placed = order_of("24.50", p10=2)
    for kind in ("placed", *kinds):
        happened(placed, kind)
    Order.objects.filter(pk=placed.pk).update(status=status, stock_state=stock)
    return placed


def page_of(placed: Order) -> str:
    """Return an order's page as a guest gets it."""
    answer = Client().get(path(placed))
    assert answer.status_code == 200
    return text(answer)
