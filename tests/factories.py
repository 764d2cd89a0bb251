"""Rows for tests, with values that a person might have typed."""

import itertools
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.actor import Actor
from orders.models import Confirmation, Order, OrderItem, User
from orders.status import Door

_serial = itertools.count(1)


def user(**fields: Any) -> User:
    """Return a user without any role."""
    name = f"user{next(_serial)}"
    return User.objects.create(**{"username": name, "email": f"{name}@example.com"} | fields)


def staff(role: str, **fields: Any) -> User:
    """Return a member of staff who holds one role."""
    member = user(is_staff=True, **fields)
    member.groups.add(Group.objects.get(name=role))
    return member


def actor(role: str = "manager", via: Door = Door.API) -> Actor:
    """Return a member of staff at a door."""
    return Actor(via=via, user=staff(role))


OPERATOR = Actor.system(Door.COMMAND)


def order(**fields: Any) -> Order:
    """Return a PENDING order without items."""
    return Order.objects.create(
        **{
            "customer_reference": f"guest-{next(_serial)}",
            "full_name": "John Doe",
            "email": "john@example.com",
            "address": "123 Main St",
            "city": "Springfield",
            "zip_code": "12345",
            "currency": "USD",
            "total": Decimal("0.00"),
        }
        | fields
    )


def order_of(price: str = "50.00", **quantities: int) -> Order:
    """Return a PENDING order of products at one price; ``p10=2`` is two pieces of product 10."""
    unit_price = Decimal(price)
    placed = order(total=unit_price * sum(quantities.values()))
    for name, quantity in quantities.items():
        OrderItem.objects.create(
            order=placed,
            product_id=name.removeprefix("p"),
            quantity=quantity,
            unit_price=unit_price,
        )
    return placed


def stock(sandbox: Sandbox) -> dict[str, int]:
    """Return what the sandbox has in stock, by product."""
    return {item.product_id: item.quantity for item in sandbox.store.items(offset=0, limit=1000)}


def confirm_once(order: Order) -> Confirmation:
    """Begin an order's confirmation, and go on as far as that goes without waiting for anything.

    A caller with little time would do, too; but on a slow machine it may not even get its check.
    """
    lifecycle.confirm(order.pk, actor=OPERATOR, hold=0)
    confirmation: Confirmation = order.confirmations.latest("pk")
    lifecycle.advance(confirmation.pk)
    return confirmation
