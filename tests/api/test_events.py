"""GET /api/orders/{id}/events."""

import pytest

from orders import lifecycle
from orders.models import Order, OrderEvent, OrderNote
from tests.api.calls import create, customer, guest, service, url
from tests.factories import OPERATOR, actor, order, staff

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("plenty")
def test_events_are_the_timeline_oldest_first() -> None:
    create(guest())
    placed = Order.objects.get()
    lifecycle.cancel(placed.pk, actor=OPERATOR, note="Changed their mind")

    answer = guest().get(url(placed, "/events"))

    assert answer.headers["Cache-Control"] == "private, no-cache"
    first, second = answer.json()["data"]
    assert first == {
        "id": first["id"],
        "at": first["at"],
        "kind": "placed",
        "fromStatus": None,
        "toStatus": "PENDING",
        "actor": "guest",
        "via": "api",
        "data": {},
    }
    assert second == {
        "id": second["id"],
        "at": second["at"],
        "kind": "cancelled",
        "fromStatus": "PENDING",
        "toStatus": "CANCELLED",
        "actor": "system",
        "via": "command",
        "data": {},
    }


def test_events_name_accounts_to_staff_only() -> None:
    owner, client = customer()
    placed = order(owner=owner)
    manager = actor("manager")
    OrderEvent.objects.create(order=placed, kind="placed", actor=f"user:{owner.pk}", via="api")
    lifecycle.cancel(placed.pk, actor=manager)

    def actors(answer: dict[str, list[dict[str, str]]]) -> list[str]:
        return [event["actor"] for event in answer["data"]]

    path = url(placed, "/events")
    assert actors(client.get(path).json()) == ["customer", "staff"]
    assert actors(service("viewer").get(path).json()) == [f"user:{owner.pk}", manager.label]


def test_events_show_shortages_as_the_api_names_them() -> None:
    placed = order()
    OrderEvent.objects.create(
        order=placed,
        kind="confirmation_failed",
        actor="system",
        via="api",
        data={
            "reason": "insufficient_stock",
            "items": [{"product_id": "10", "requested": 2, "available": 1}],
        },
    )
    [event] = guest().get(url(placed, "/events")).json()["data"]
    assert event["data"] == {
        "reason": "insufficient_stock",
        "items": [{"productId": "10", "requested": 2, "available": 1}],
    }


def test_notes_are_shown_to_staff_only() -> None:
    placed = order()
    author = staff("manager")
    note = OrderNote.objects.create(order=placed, author=author, text="Call before noon")
    path = url(placed, "/events")

    [shown] = service("viewer").get(path).json()["notes"]

    assert shown == {
        "id": str(note.pk),
        "at": shown["at"],
        "author": author.username,
        "text": "Call before noon",
    }
    for outsider in (guest(), customer()[1]):
        assert "notes" not in outsider.get(path).json()
        assert b"noon" not in outsider.get(path).content


def test_events_keep_the_evidence_for_staff() -> None:
    placed = order()
    data = {"movement": "9b2e", "applied": True, "batch": 1}
    OrderEvent.objects.create(
        order=placed, kind="review_resolved", actor="user:1", via="admin", data=data
    )
    path = url(placed, "/events")
    assert guest().get(path).json()["data"][0]["data"] == {}
    assert service("viewer").get(path).json()["data"][0]["data"] == data
