"""An order's whole life over the API."""

import re
from uuid import UUID

import pytest

from inventory_client.sandbox.server import Sandbox
from tests.api.calls import ORDERS, create, guest, item, service
from tests.factories import stock

pytestmark = pytest.mark.usefixtures("committed_db")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_order_list_confirm_complete_takes_exactly_what_was_ordered(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45, "9": 5, "8": 1})
    staff = service("fulfilment")

    placed = create(guest(), items=[item("10", 2, 50.00), item("9", 3, "0.10")])

    assert placed.status_code == 201
    order = placed.json()
    assert placed.headers["Location"] == f"{ORDERS}/{order['id']}"
    assert UUID(order["id"]).version == 4
    assert re.fullmatch(r"guest-[0-9a-f]{12}", order["userId"])
    assert MOMENT.fullmatch(order["createdAt"])
    assert order == {
        "id": order["id"],
        "number": order["number"],
        "userId": order["userId"],
        "fullName": "John Doe",
        "email": "john@example.com",
        "address": "123 Main St",
        "city": "Springfield",
        "zipCode": "12345",
        "status": "PENDING",
        "stock": {"state": "clear", "since": order["createdAt"]},
        "currency": "USD",
        "total": "100.30",
        "createdAt": order["createdAt"],
        "updatedAt": order["createdAt"],
        "items": [
            {
                "id": order["items"][0]["id"],
                "productId": "10",
                "quantity": 2,
                "price": "50.00",
                "subtotal": "100.00",
            },
            {
                "id": order["items"][1]["id"],
                "productId": "9",
                "quantity": 3,
                "price": "0.10",
                "subtotal": "0.30",
            },
        ],
    }
    assert stock(sandbox) == {"10": 45, "9": 5, "8": 1}

    page = staff.get(ORDERS)
    assert page.json() == {"data": [order], "total": 1, "page": 1, "limit": 10, "totalPages": 1}

    path = f"{ORDERS}/{order['id']}/status"
    confirmed = staff.patch(path, {"status": "CONFIRMED"}, format="json")
    assert (confirmed.status_code, confirmed.json()["status"]) == (200, "CONFIRMED")
    assert stock(sandbox) == {"10": 43, "9": 2, "8": 1}

    completed = staff.patch(path, {"status": "COMPLETED"}, format="json")
    assert (completed.status_code, completed.json()["status"]) == (200, "COMPLETED")
    assert stock(sandbox) == {"10": 43, "9": 2, "8": 1}
    assert guest().get(placed.headers["Location"]).json() == completed.json()
