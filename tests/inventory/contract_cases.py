"""The measured cases of the inventory API, as data: one line of the contract each.

The product "10" has 10 in stock and "3" has 3. ``stock`` is what both have afterwards.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import ANY
from urllib.parse import quote

MAIN = {"warehouse_location": "Main"}
DATES = {"created_at": ANY, "updated_at": ANY}
UNEXPECTED = {
    "detail": "An unexpected error occurred",
    "code": "UNEXPECTED_ERROR",
    "trace_id": ANY,
}
UNPARSABLE = {"detail": "There was an error parsing the body"}
NOT_FOUND = {"detail": "Not Found"}
ADJUST = "/api/v1/inventory/items/10/adjust"
BULK = "/api/v1/inventory/check-availability/bulk"
ITEMS = "/api/v1/inventory/items"


class InvalidAt:
    """Equal to a 422 whose errors are at just these places."""

    def __init__(self, *places: str) -> None:
        self._places = places

    def __eq__(self, document: object) -> bool:
        if not isinstance(document, dict) or list(document) != ["detail"]:
            return False
        errors = document["detail"]
        places = tuple(".".join(map(str, error["loc"])) for error in errors)
        return places == self._places and all(error["type"] and error["msg"] for error in errors)

    def __repr__(self) -> str:
        return f"InvalidAt{self._places}"

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Case:
    """One request, its answer, and the stock after it."""

    name: str
    method: str
    path: str
    status: int
    document: Any
    body: bytes = b""
    stock: dict[str, int] = field(default_factory=lambda: {"10": 10, "3": 3})
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1


def item(product_id: str, quantity: int) -> dict[str, Any]:
    return {"product_id": product_id, "quantity": quantity, **MAIN, **DATES}


def available(product_id: str, current: int, required: int, where: str = "Main") -> dict[str, Any]:
    return {
        "product_id": product_id,
        "available": current >= required,
        "current_quantity": current,
        "required_quantity": required,
        "warehouse_location": where,
    }


def adjusts(name: str, body: bytes, quantity: int, **more: Any) -> Case:
    """A body that is applied, coerced or not."""
    after = {"10": quantity, "3": 3}
    return Case(name, "POST", ADJUST, 200, item("10", quantity), body, after, **more)


def refuses(name: str, body: bytes, status: int, document: Any, **more: Any) -> Case:
    """A body that changes nothing."""
    return Case(name, "POST", ADJUST, status, document, body, **more)


def checks(name: str, lines: list[Any], status: int, document: Any) -> Case:
    return Case(name, "POST", BULK, status, document, json.dumps({"items": lines}).encode())


def reaches(name: str, product_id: str) -> list[Case]:
    """A product that is created and then deducted from, by its percent-encoded id."""
    fields = {"product_id": product_id, "quantity": 5, "warehouse_location": "Main"}
    path = f"{ITEMS}/{quote(product_id, safe='')}/adjust"
    body = b'{"quantity":-2,"reason":"r"}'
    before, after = ({"10": 10, "3": 3, product_id: quantity} for quantity in (5, 3))
    created = Case(
        f"create {name}",
        "POST",
        ITEMS,
        201,
        item(product_id, 5),
        json.dumps(fields).encode(),
        before,
    )
    return [created, Case(f"adjust {name}", "POST", path, 200, item(product_id, 3), body, after)]


CASES = [
    # Success.
    adjusts("deduct", b'{"quantity":-2,"reason":"order:1"}', 8),
    adjusts("restore", b'{"quantity":2,"reason":"order:1"}', 12),
    Case("read", "GET", f"{ITEMS}/10", 200, item("10", 10)),
    Case("read unknown", "GET", f"{ITEMS}/99", 404, {"detail": "Product 99 not found"}),
    checks(
        "bulk check",
        [{"product_id": "10", "required_quantity": 2}, {"product_id": "3", "required_quantity": 4}],
        200,
        {"all_available": False, "items": [available("10", 10, 2), available("3", 3, 4)]},
    ),
    Case(
        "single check",
        "POST",
        "/api/v1/inventory/check-availability",
        200,
        available("10", 10, 10),
        b'{"product_id":"10","required_quantity":10}',
    ),
    Case(
        "single check of an unknown product",
        "POST",
        "/api/v1/inventory/check-availability",
        404,
        {"detail": "Product 99 not found"},
        b'{"product_id":"99","required_quantity":1}',
    ),
    Case(
        "list",
        "GET",
        f"{ITEMS}?page=2&limit=1",
        200,
        {"current_page": 2, "per_page": 1, "total": 2, "last_page": 2, "data": [item("10", 10)]},
    ),
    Case(
        "list one product",
        "GET",
        f"{ITEMS}?product_id=3",
        200,
        {"current_page": 1, "per_page": 20, "total": 1, "last_page": 1, "data": [item("3", 3)]},
    ),
    Case("list too many", "GET", f"{ITEMS}?limit=101", 422, InvalidAt("query.limit")),
    Case(
        "create an existing product",
        "POST",
        ITEMS,
        400,
        {"detail": "Product 10 already exists in inventory"},
        b'{"product_id":"10","quantity":1,"warehouse_location":"Main"}',
    ),
    Case(
        "health",
        "GET",
        "/api/v1/health",
        200,
        {"status": "healthy", "environment": ANY, "database": "connected", "timestamp": ANY},
    ),
    # Not found, not allowed, elsewhere.
    Case(
        "adjust unknown",
        "POST",
        f"{ITEMS}/99/adjust",
        404,
        {"detail": "Product 99 not found"},
        b'{"quantity":-1,"reason":"r"}',
    ),
    Case("wrong prefix", "GET", "/inventory/items/10", 404, NOT_FOUND),
    Case("empty id", "POST", f"{ITEMS}//adjust", 404, NOT_FOUND, b'{"quantity":-1,"reason":"r"}'),
    Case("encoded slash", "GET", f"{ITEMS}/a%2Fb", 404, NOT_FOUND),
    Case("trailing slash", "POST", f"{ADJUST}/", 307, None, b'{"quantity":-1,"reason":"r"}'),
    Case("wrong method", "GET", ADJUST, 405, {"detail": "Method Not Allowed"}),
    # Insufficient.
    Case(
        "insufficient stock",
        "POST",
        f"{ITEMS}/3/adjust",
        400,
        {
            "detail": "Insufficient stock. Current quantity: 3, Requested change: -5, "
            "Would result in: -2"
        },
        b'{"quantity":-5,"reason":"r"}',
    ),
    # Coerced, and applied.
    adjusts("quantity 0", b'{"quantity":0,"reason":"r"}', 10),
    adjusts('quantity "-1"', b'{"quantity":"-1","reason":"r"}', 9),
    adjusts("quantity -1.0", b'{"quantity":-1.0,"reason":"r"}', 9),
    adjusts("quantity true", b'{"quantity":true,"reason":"r"}', 11),
    adjusts("quantity 1e3", b'{"quantity":1e3,"reason":"r"}', 1010),
    adjusts("duplicate keys", b'{"quantity":-5,"quantity":-1,"reason":"r"}', 9),
    # Refused as invalid.
    refuses('quantity "abc"', b'{"quantity":"abc","reason":"r"}', 422, InvalidAt("body.quantity")),
    refuses("quantity -1.5", b'{"quantity":-1.5,"reason":"r"}', 422, InvalidAt("body.quantity")),
    refuses("quantity null", b'{"quantity":null,"reason":"r"}', 422, InvalidAt("body.quantity")),
    refuses("quantity missing", b'{"reason":"r"}', 422, InvalidAt("body.quantity")),
    refuses("reason missing", b'{"quantity":-1}', 422, InvalidAt("body.reason")),
    refuses("reason empty", b'{"quantity":-1,"reason":""}', 422, InvalidAt("body.reason")),
    refuses("reason a number", b'{"quantity":-1,"reason":1}', 422, InvalidAt("body.reason")),
    refuses("malformed JSON", b'{"quantity":-1,', 422, InvalidAt("body")),
    refuses(
        "text/plain",
        b'{"quantity":-1,"reason":"r"}',
        422,
        InvalidAt("body"),
        content_type="text/plain",
    ),
    refuses("not UTF-8", b'{"quantity":-1,"reason":"\xff"}', 400, UNPARSABLE),
    refuses("5,000 digits", b'{"quantity":-%s,"reason":"r"}' % (b"9" * 5000), 400, UNPARSABLE),
    # Its own failures.
    refuses("NaN", b'{"quantity":NaN,"reason":"r"}', 500, UNEXPECTED),
    refuses("lone surrogate", b'{"quantity":-1,"reason":"\\ud800"}', 500, UNEXPECTED),
    refuses("2^63", b'{"quantity":9223372036854775808,"reason":"r"}', 500, {"detail": ANY}),
    Case(
        "17 MB reason, deducted all the same",
        "POST",
        ADJUST,
        500,
        UNEXPECTED,
        b'{"quantity":-1,"reason":"%s"}' % (b"x" * 17_000_000),
        {"10": 9, "3": 3},
    ),
    adjusts(
        "the same Idempotency-Key twice",
        b'{"quantity":-2,"reason":"r"}',
        6,
        headers={"Idempotency-Key": "movement-1"},
        times=2,
    ),
    # Bulk checks.
    checks("bulk empty", [], 422, InvalidAt("body.items")),
    checks(
        "bulk required 0",
        [{"product_id": "10", "required_quantity": 0}],
        422,
        InvalidAt("body.items.0.required_quantity"),
    ),
    checks(
        "bulk required -1",
        [{"product_id": "10", "required_quantity": -1}],
        422,
        InvalidAt("body.items.0.required_quantity"),
    ),
    checks(
        "bulk id not a string",
        [{"product_id": 10, "required_quantity": 1}],
        422,
        InvalidAt("body.items.0.product_id"),
    ),
    checks(
        "bulk unknown product",
        [{"product_id": "99", "required_quantity": 1}],
        200,
        {"all_available": False, "items": [available("99", 0, 1, "N/A")]},
    ),
    checks(
        "bulk the same product twice",
        [{"product_id": "10", "required_quantity": 8}] * 2,
        200,
        {"all_available": True, "items": [available("10", 10, 8)] * 2},
    ),
]

REACHABLE = [
    reaches("an id with spaces", "a b"),
    reaches("an id in unicode", "Äpfel ☕"),
    reaches("an id of 10,000 characters", "x" * 10_000),
]

REMOVE = "/api/stock/10/remove"
REMOVED = {
    "message": ANY,
    "success": True,
    "product_id": "10",
    "quantity_removed": 2,
    "new_quantity": 8,
    "timestamp": ANY,
}
ADDED = {
    "message": ANY,
    "success": True,
    "product_id": "10",
    "quantity_added": 2,
    "new_quantity": 12,
    "timestamp": ANY,
}
TWO = b'{"quantity":2,"reason":"r"}'


def gateway_error(message: object) -> dict[str, Any]:
    return {"error": ANY, "message": message, "timestamp": ANY}


GATEWAY_CASES = [
    Case("remove", "POST", REMOVE, 200, REMOVED, TWO, {"10": 8, "3": 3}),
    Case("add", "POST", "/api/stock/10/add", 200, ADDED, TWO, {"10": 12, "3": 3}),
    Case("read", "GET", "/api/stock/10", 200, item("10", 10)),
    Case(
        "bulk check",
        "POST",
        "/api/stock/check-availability/bulk",
        200,
        {"all_available": True, "items": [available("10", 10, 2)]},
        b'{"items":[{"product_id":"10","required_quantity":2}]}',
    ),
    Case(
        "insufficient stock",
        "POST",
        "/api/stock/3/remove",
        400,
        gateway_error(
            "Insufficient stock. Current quantity: 3, Requested change: -5, Would result in: -2"
        ),
        b'{"quantity":5,"reason":"r"}',
    ),
    Case(
        "unknown product",
        "POST",
        "/api/stock/99/remove",
        404,
        gateway_error("Product 99 not found"),
        TWO,
    ),
]
