"""What the tests read from the admin's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from orders.models import Order

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

LIST = "/admin/orders/order/"
REASONS = {"cancel": {"reason": "customer"}, "hold": {"reason": "payment"}}  # what they ask for


def page(order: Order) -> str:
    """Return the address of an order's page."""
    return reverse("admin:orders_order_change", args=[order.pk])


def address(order: Order, verb: str) -> str:
    """Return the page of a verb, which its form is sent to."""
    return reverse(f"admin:orders_order_{verb}", args=[order.pk])


def press(client: Client, order: Order, verb: str, **fields: object) -> Response:
    """Send a dialog's form as the page would that shows the order as it is."""
    order.refresh_from_db()
    asked = {"expected_version": order.version} | REASONS.get(verb, {})
    return client.post(address(order, verb), asked | fields)


def act(client: Client, verb: str, *orders: Order, **fields: object) -> Response:
    """Run a list action on orders; ``fields`` are those of the page that asks."""
    ticked = [order.pk for order in orders]
    return client.post(LIST, {"action": verb, "index": 0, "_selected_action": ticked} | fields)


def told(response: Response) -> list[tuple[str, str]]:
    """Return the messages that a request has left, each with its level."""
    left = get_messages(response.wsgi_request)
    return [(message.level_tag, str(message.message)) for message in left]
