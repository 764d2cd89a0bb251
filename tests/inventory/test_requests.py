"""What is asked and how questions are answered: arguments, headers, check, read, health."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import responses

from inventory_client import (
    Availability,
    Health,
    InventoryClient,
    Rejected,
    StockLevel,
    Unavailable,
    is_addressable,
)
from tests.inventory.mocked import (
    ADJUST,
    BASE,
    CHECK,
    ITEM,
    LINE,
    LIST,
    READ,
    as_body,
    deduct,
    failure_of,
)


def test_adjust_sends_what_the_contract_asks_for(
    wire: responses.RequestsMock, client: InventoryClient
) -> None:
    wire.post(ADJUST, json=ITEM)
    client.adjust("10", -2, reason="r", idempotency_key="m-1", request_id="req-1")

    headers = dict(wire.calls[0].request.headers)

    assert headers == {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "order-service",
        "Authorization": "Bearer secret",
        "Content-Type": "application/json",
        "Idempotency-Key": "m-1",
        "X-Request-ID": "req-1",
        "Content-Length": "31",
    }


def test_adjust_with_a_request_id_that_breaks_headers_is_sent_without_it(
    wire: responses.RequestsMock, client: InventoryClient
) -> None:
    wire.post(ADJUST, json=ITEM)

    client.adjust("10", -2, reason="r", idempotency_key="m", request_id="a\r\nX-Evil: 1")

    assert "X-Request-ID" not in wire.calls[0].request.headers
    assert "X-Evil" not in wire.calls[0].request.headers


@pytest.mark.parametrize("product_id", ["", ".", "..", "a/b", "a\\b", "\ud800"])
def test_call_with_an_impossible_id_is_refused_before_any_call(
    wire: responses.RequestsMock, client: InventoryClient, product_id: str
) -> None:
    failures = [
        failure_of(lambda: deduct(client, product_id)),
        failure_of(lambda: client.read(product_id)),
        failure_of(lambda: client.check({product_id: 1})),
    ]

    assert [(type(failure), failure.code) for failure in failures] == [
        (Rejected, "invalid_product_id")
    ] * 3
    assert len(wire.calls) == 0
    assert not is_addressable(product_id)


@pytest.mark.parametrize("product_id", ["a b", "...", "%2e", "Äpfel ☕", "a?b#c", "x" * 10_000])
def test_read_an_unusual_id_is_quoted_whole(
    wire: responses.RequestsMock, client: InventoryClient, product_id: str
) -> None:
    wire.add_callback(
        responses.GET,
        re.compile(f"{BASE}/inventory/items/.*"),
        callback=lambda request: (200, {}, json.dumps({**ITEM, "product_id": product_id})),
    )

    assert client.read(product_id).product_id == product_id
    assert is_addressable(product_id)


@pytest.mark.parametrize(
    "arguments",
    [
        {"delta": 0},
        {"delta": True},
        {"delta": -2.0},
        {"delta": 2**31},
        {"delta": -(2**31)},
        {"reason": ""},
        {"reason": "x" * 201},
        {"reason": "\ud800"},
        {"idempotency_key": ""},
        {"idempotency_key": "a\nb"},
    ],
)
def test_adjust_with_an_invalid_argument_is_refused_before_any_call(
    wire: responses.RequestsMock, client: InventoryClient, arguments: dict[str, Any]
) -> None:
    given = {"delta": -1, "reason": "r", "idempotency_key": "m", **arguments}

    failure = failure_of(lambda: client.adjust("10", **given))

    assert (type(failure), failure.code) == (Rejected, "invalid_request")
    assert len(wire.calls) == 0


@pytest.mark.parametrize("quantities", [{}, {"10": 0}, {"10": -1}, {"10": True}])
def test_check_without_a_quantity_is_refused_before_any_call(
    wire: responses.RequestsMock, client: InventoryClient, quantities: dict[str, int]
) -> None:
    failure = failure_of(lambda: client.check(quantities))

    assert (type(failure), failure.code) == (Rejected, "invalid_request")
    assert len(wire.calls) == 0


def test_check_answered_in_another_order_returns_the_order_asked(
    wire: responses.RequestsMock, client: InventoryClient
) -> None:
    other = {**LINE, "product_id": "3", "available": False, "warehouse_location": "N/A"}
    wire.post(CHECK, json={"all_available": False, "items": [other, LINE]})

    assert client.check({"10": 2, "3": 2}) == [
        Availability("10", True, 8, 2),
        Availability("3", False, 8, 2),
    ]
    assert len(wire.calls) == 1


@pytest.mark.parametrize(
    "items",
    [
        [],
        [LINE],
        [LINE, LINE],
        [LINE, {**LINE, "product_id": "4"}],
        [LINE, {**LINE, "product_id": ["3"]}],
        [LINE, {**LINE, "product_id": "3", "required_quantity": 3}],
        [LINE, {**LINE, "product_id": "3", "available": "yes"}],
        [LINE, {**LINE, "product_id": "3", "available": 1}],
        [LINE, {**LINE, "product_id": "3", "current_quantity": "8"}],
        [LINE, {**LINE, "product_id": "3", "current_quantity": -1}],
        [LINE, "3"],
        None,
    ],
)
def test_check_answered_for_something_else_is_unavailable(
    wire: responses.RequestsMock, client: InventoryClient, items: object
) -> None:
    wire.post(CHECK, json={"all_available": True, "items": items})

    failure = failure_of(lambda: client.check({"10": 2, "3": 2}))

    assert (type(failure), failure.code) == (Unavailable, "bad_answer")


def test_read_returns_the_level_with_its_own_time(
    wire: responses.RequestsMock, client: InventoryClient
) -> None:
    wire.get(READ, json=ITEM)

    assert client.read("10") == StockLevel("10", 8, "2026-01-01")


def test_levels_read_all_pages_and_no_more(
    wire: responses.RequestsMock, client: InventoryClient
) -> None:
    for page, product in ((1, "10"), (2, "9")):
        wire.get(
            LIST,
            json={"current_page": page, "last_page": 2, "data": [{**ITEM, "product_id": product}]},
            match=[responses.matchers.query_param_matcher({"page": page, "limit": 50})],
        )

    assert [level.product_id for level in client.levels()] == ["10", "9"]
    assert next(client.levels()) == StockLevel("10", 8, "2026-01-01")


def test_levels_of_a_list_without_an_end_end_with_its_products(
    wire: responses.RequestsMock, client: InventoryClient
) -> None:
    wire.get(LIST, json={"current_page": 1, "last_page": 10**9, "data": []})

    assert list(client.levels()) == []


@pytest.mark.parametrize(
    "body",
    [
        {"current_page": 2, "last_page": 2, "data": [ITEM]},
        {"current_page": 1, "last_page": 1, "data": ITEM},
        {"current_page": 1, "data": [ITEM]},
        {"current_page": 1, "last_page": 1, "data": ["10"]},
        {"current_page": 1, "last_page": 1, "data": [{**ITEM, "product_id": 10}]},
        {"current_page": 1, "last_page": 1, "data": [{**ITEM, "quantity": -1}]},
        [ITEM],
    ],
)
def test_levels_without_a_usable_page_are_unavailable(
    wire: responses.RequestsMock, client: InventoryClient, body: object
) -> None:
    wire.get(LIST, json=body)

    failure = failure_of(lambda: list(client.levels()))

    assert (type(failure), failure.code) == (Unavailable, "bad_answer")


def test_levels_through_the_gateway_are_not_offered(gateway: InventoryClient) -> None:
    failure = failure_of(lambda: list(gateway.levels()))

    assert (type(failure), failure.code) == (Unavailable, "not_offered")


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (404, {"detail": "Product 10 not found"}, "unknown_product"),
        (404, {"detail": "Not Found"}, "misconfigured"),
        (401, {}, "misconfigured"),
        (429, {}, "throttled"),
        (500, {}, "server_error"),
        (307, {}, "redirected"),
        (200, {**ITEM, "product_id": "11"}, "bad_answer"),
        (200, {**ITEM, "updated_at": 5}, "bad_answer"),
        (200, b"{", "bad_answer"),
    ],
)
def test_read_without_a_usable_answer_is_unavailable(
    wire: responses.RequestsMock, client: InventoryClient, status: int, body: object, code: str
) -> None:
    wire.get(READ, status=status, body=as_body(body))

    failure = failure_of(lambda: client.read("10"))

    assert (type(failure), failure.code) == (Unavailable, code)


def test_health_reads_the_database_and_not_the_status(
    wire: responses.RequestsMock, client: InventoryClient
) -> None:
    wire.get(f"{BASE}/health", json={"status": "degraded", "database": "disconnected"})

    health = client.health()

    assert (health, health.ok) == (Health("degraded", "disconnected"), False)


@pytest.mark.parametrize(
    ("url", "dialect"),
    [
        ("inventory.test", "inventory"),
        ("ftp://inventory.test", "inventory"),
        ("https://me:secret@inventory.test", "inventory"),
        ("https://inventory.test/?a=1", "inventory"),
        ("https://inventory.test", "soap"),
    ],
)
def test_client_with_an_unusable_setting_refuses_to_start(url: str, dialect: str) -> None:
    with pytest.raises(ValueError, match=r"^the inventory"):
        InventoryClient(url, dialect=dialect)
