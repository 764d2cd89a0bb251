"""Requests that work as they stand here, and what they are answered with; a test sends each."""

from typing import Any

_JOHN = {
    "fullName": "John Doe",
    "email": "john@example.com",
    "address": "123 Main St",
    "city": "Springfield",
    "zipCode": "12345",
}

NEW_ORDERS: dict[str, Any] = {
    "A guest's order": _JOHN | {"items": [{"productId": "10", "quantity": 2, "price": 50.00}]},
    "An order with a label of the caller's": _JOHN
    | {
        "userId": "user123",
        "items": [
            {"productId": "10", "quantity": 1, "price": "50.00"},
            {"productId": "11", "quantity": 3, "price": "0.99"},
        ],
    },
}

ORDERS: dict[str, Any] = {
    "An order": {
        "id": "1b4e28ba-2fa1-4d3b-a3f5-ccd1f6b1c9a7",
        "number": "100042",
        "userId": "guest-5f0c9a3e71bd",
        **_JOHN,
        "status": "PENDING",
        "stock": {"state": "clear", "since": "2026-11-22T10:00:00.000Z"},
        "currency": "USD",
        "total": "100.00",
        "createdAt": "2026-11-22T10:00:00.000Z",
        "updatedAt": "2026-11-22T10:00:00.000Z",
        "items": [
            {
                "id": "7",
                "productId": "10",
                "quantity": 2,
                "price": "50.00",
                "subtotal": "100.00",
            }
        ],
    }
}

STATUS_CHANGES: dict[str, Any] = {
    "Confirm": {"status": "CONFIRMED"},
    "Complete": {"status": "COMPLETED"},
    "Cancel": {"status": "CANCELLED", "reason": "Ordered twice"},
}

SIGN_INS: dict[str, Any] = {
    "A customer": {"username": "john@example.com", "password": "correct horse battery staple"},
    "With a second factor": {
        "username": "john@example.com",
        "password": "correct horse battery staple",
        "code": "123456",
    },
}

_PROBLEM = {
    "type": "about:blank",
    "instance": "0d1a6c1e-6b1f-4c55-9f0e-0c9f2f1b7d52",
}

# By the name of the answer.
PROBLEMS: dict[str, Any] = {
    "BadRequest": _PROBLEM
    | {
        "title": "Bad Request",
        "status": 400,
        "detail": "The request is not valid",
        "code": "invalid",
        "errors": [
            {
                "field": "items[0].quantity",
                "code": "min_value",
                "detail": "Must be at least 1",
            }
        ],
    },
    "Conflict": _PROBLEM
    | {
        "title": "Conflict",
        "status": 409,
        "detail": "5 × 10 short, 2 in stock",
        "code": "insufficient_stock",
        "items": [{"productId": "10", "requested": 5, "available": 2}],
    },
    "NotFound": _PROBLEM
    | {"title": "Not Found", "status": 404, "detail": "Not found", "code": "not_found"},
}

# Of the list: what each parameter means, and a value.
PARAMETERS: dict[str, tuple[str, Any]] = {
    "page": ("Counted from 1. Behind a `cursor` just a number that the answer repeats.", 1),
    "cursor": ("A place in the list, as `Link` gives it; it brings the list's sort along.", None),
    "limit": ("Orders on a page.", 10),
    "sort": ("By what, and with a minus the highest or newest first.", "-createdAt"),
    "status": ("The status that the orders have.", "PENDING"),
    "stock": ("The state of their stock.", "clear"),
    "q": ("Parts of a name, an e-mail address or a product id; or an order's number.", "john"),
    "email": ("The whole e-mail address, in whichever case.", "john@example.com"),
    "productId": ("A product that they have.", "10"),
    "userId": ("Their `userId`.", "user123"),
    "createdFrom": ("Placed then or later: a date or a time, in UTC unless it says more.", None),
    "createdTo": ("Placed then or before; a date's whole day counts.", "2026-11-22"),
    "minTotal": ("Their lowest total.", "10.00"),
    "maxTotal": ("Their highest total.", "500.00"),
}
