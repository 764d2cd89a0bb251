"""Callers of the API, and what they send."""

from typing import Any

from rest_framework.test import APIClient

from orders.models import ApiKey, Order, User
from tests.factories import staff, user

ORDERS = "/api/orders"


def guest() -> APIClient:
    """Return a caller without a credential."""
    return APIClient()


def signed_in(who: User) -> APIClient:
    """Return a caller with a session."""
    client = APIClient()
    client.force_login(who)
    return client


def key_of(who: User, **fields: Any) -> str:
    """Return a new API key of a service user."""
    _, key = ApiKey.objects.create_key(name="test", user=who, **fields)
    return str(key)


def with_key(key: str) -> APIClient:
    """Return a caller with an API key."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Api-Key {key}")
    return client


def service(role: str = "manager") -> APIClient:
    """Return a service with a role."""
    return with_key(key_of(staff(role)))


def customer() -> tuple[User, APIClient]:
    """Return a customer who is signed in."""
    who = user()
    return who, signed_in(who)


def item(product_id: object = "10", quantity: object = 2, price: object = 50) -> dict[str, Any]:
    """Return one item of a request."""
    return {"productId": product_id, "quantity": quantity, "price": price}


def body(**changes: Any) -> dict[str, Any]:
    """Return a request to create an order, with changes; None leaves a field out."""
    whole = {
        "fullName": "John Doe",
        "email": "john@example.com",
        "address": "123 Main St",
        "city": "Springfield",
        "zipCode": "12345",
        "items": [item()],
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def create(client: APIClient, *, headers: Any = None, **changes: Any) -> Any:
    """Ask for an order."""
    return client.post(ORDERS, body(**changes), format="json", headers=headers or {})


def url(order: Order, tail: str = "") -> str:
    """Return an order's path."""
    return f"{ORDERS}/{order.public_id}{tail}"


def patch(
    client: APIClient,
    order: Order,
    status: object,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Any:
    """Ask for a change of an order's state."""
    return client.patch(
        url(order, "/status"), {"status": status} | more, format="json", headers=headers or {}
    )


def faults(answer: Any) -> list[tuple[str, str]]:
    """Return the fields that a 400 names, with the codes."""
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    return sorted((fault["field"], fault["code"]) for fault in answer.json()["errors"])


def refusal(answer: Any) -> tuple[int, str]:
    """Return a problem's status and code, having looked at its form."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem.keys() >= {"type", "title", "status", "detail", "instance", "code"}
    assert problem["status"] == answer.status_code
    assert problem["instance"] == answer.headers["X-Request-ID"]
    return answer.status_code, problem["code"]
