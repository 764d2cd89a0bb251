"""What each answer to a change proves, in both dialects."""

from __future__ import annotations

import json

import pytest
import responses

from inventory_client import (
    Adjusted,
    InventoryClient,
    InventoryError,
    NotYet,
    OutcomeUnknown,
    Rejected,
)
from tests.inventory.mocked import (
    ADJUST,
    GATEWAY,
    ITEM,
    READ,
    REMOVE,
    REMOVED,
    SHORT,
    as_body,
    deduct,
    failure_of,
)

ANSWERS: list[tuple[int, object, type[InventoryError], str]] = [
    (400, {"detail": SHORT}, Rejected, "insufficient_stock"),
    (400, {"detail": "There was an error parsing the body"}, Rejected, "invalid_request"),
    (400, b"<html>", Rejected, "invalid_request"),
    (422, {"detail": [{"loc": ["body"]}]}, Rejected, "invalid_request"),
    (404, {"detail": "Product 10 not found"}, Rejected, "unknown_product"),
    (404, {"detail": "Not Found"}, Rejected, "misconfigured"),
    (404, b"", Rejected, "misconfigured"),
    (401, {}, Rejected, "misconfigured"),
    (403, {}, Rejected, "misconfigured"),
    (405, {"detail": "Method Not Allowed"}, Rejected, "misconfigured"),
    (301, b"", Rejected, "redirected"),
    (307, b"", Rejected, "redirected"),
    (304, b"", Rejected, "redirected"),
    (429, {}, NotYet, "throttled"),
    (408, {}, OutcomeUnknown, "server_error"),
    (500, {"detail": SHORT}, OutcomeUnknown, "server_error"),
    (502, b"<html>", OutcomeUnknown, "server_error"),
    (503, {}, OutcomeUnknown, "server_error"),
    (504, {}, OutcomeUnknown, "server_error"),
    (201, ITEM, OutcomeUnknown, "unexpected_status"),
    (204, b"", OutcomeUnknown, "unexpected_status"),
    (409, {}, OutcomeUnknown, "unexpected_status"),
    (200, b"", OutcomeUnknown, "bad_answer"),
    (200, b"{", OutcomeUnknown, "bad_answer"),
    (200, b"[" * 60_000, OutcomeUnknown, "bad_answer"),
    (200, b"[]", OutcomeUnknown, "bad_answer"),
    (200, json.dumps(ITEM).encode("utf-16"), OutcomeUnknown, "bad_answer"),
    (200, b'{"product_id":"10","quantity":8,"weight":NaN}', OutcomeUnknown, "bad_answer"),
    (200, {**ITEM, "product_id": "11"}, OutcomeUnknown, "bad_answer"),
    (200, {**ITEM, "product_id": 10}, OutcomeUnknown, "bad_answer"),
    (200, {**ITEM, "quantity": "8"}, OutcomeUnknown, "bad_answer"),
    (200, {**ITEM, "quantity": 8.0}, OutcomeUnknown, "bad_answer"),
    (200, {**ITEM, "quantity": True}, OutcomeUnknown, "bad_answer"),
    (200, {**ITEM, "quantity": -1}, OutcomeUnknown, "bad_answer"),
    (200, {**ITEM, "quantity": None}, OutcomeUnknown, "bad_answer"),
    (200, {"product_id": "10"}, OutcomeUnknown, "bad_answer"),
    (200, b"x" * 65_537, OutcomeUnknown, "oversized_answer"),
]


@pytest.mark.parametrize(("status", "body", "kind", "code"), ANSWERS)
def test_adjust_answered_otherwise_than_asked_raises_what_that_proves(
    wire: responses.RequestsMock,
    client: InventoryClient,
    status: int,
    body: object,
    kind: type[InventoryError],
    code: str,
) -> None:
    wire.post(ADJUST, status=status, body=as_body(body))

    failure = failure_of(lambda: deduct(client))

    assert (type(failure), failure.code) == (kind, code)


GATEWAY_ANSWERS: list[tuple[int, object, type[InventoryError], str]] = [
    (400, {"error": "Bad Request", "message": SHORT}, Rejected, "insufficient_stock"),
    (400, {"detail": SHORT}, OutcomeUnknown, "unexpected_status"),
    (400, {"error": "Bad Request", "message": "quantity"}, OutcomeUnknown, "unexpected_status"),
    (401, {}, OutcomeUnknown, "unexpected_status"),
    (404, {"error": "x", "message": "Product 10 not found"}, OutcomeUnknown, "unexpected_status"),
    (422, {"error": "x", "message": "y"}, OutcomeUnknown, "unexpected_status"),
    (429, {}, OutcomeUnknown, "unexpected_status"),
    (307, b"", OutcomeUnknown, "unexpected_status"),
    (500, {"error": "x", "message": SHORT}, OutcomeUnknown, "server_error"),
    (200, {**REMOVED, "success": False}, OutcomeUnknown, "bad_answer"),
    (200, {**REMOVED, "success": "true"}, OutcomeUnknown, "bad_answer"),
    (200, {**REMOVED, "product_id": "11"}, OutcomeUnknown, "bad_answer"),
    (200, {**REMOVED, "quantity_removed": 3}, OutcomeUnknown, "bad_answer"),
    (200, {**REMOVED, "new_quantity": "8"}, OutcomeUnknown, "bad_answer"),
    (200, ITEM, OutcomeUnknown, "bad_answer"),
]


@pytest.mark.parametrize(("status", "body", "kind", "code"), GATEWAY_ANSWERS)
def test_adjust_through_the_gateway_only_its_insufficiency_is_definite(
    wire: responses.RequestsMock,
    gateway: InventoryClient,
    status: int,
    body: object,
    kind: type[InventoryError],
    code: str,
) -> None:
    wire.post(REMOVE, status=status, body=as_body(body))

    failure = failure_of(lambda: deduct(gateway))

    assert (type(failure), failure.code) == (kind, code)


def test_adjust_applied_returns_the_quantity_after_it(
    wire: responses.RequestsMock, client: InventoryClient
) -> None:
    wire.post(ADJUST, json=ITEM, headers={"x-trace-id": "t1"})

    assert deduct(client) == Adjusted("10", -2, 8, "t1", "2026-01-01")
    assert json.loads(wire.calls[0].request.body or b"") == {
        "quantity": -2,
        "reason": "order:1 movement:m",
    }


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("a\0b", None), ("a b", None), ("\xe9", None), ("", None), ("t" * 300, "t" * 200)],
)
def test_trace_id_that_no_database_keeps_is_none(
    wire: responses.RequestsMock, client: InventoryClient, sent: str, kept: str | None
) -> None:
    """The change was applied all the same, and must be written down."""
    wire.post(ADJUST, json=ITEM, headers={"x-trace-id": sent})

    assert deduct(client) == Adjusted("10", -2, 8, kept, "2026-01-01")


@pytest.mark.parametrize("time", [7, None, "2026\0", "9" * 501])
def test_adjust_applied_at_a_time_that_nobody_can_keep_is_applied(
    wire: responses.RequestsMock, client: InventoryClient, time: object
) -> None:
    wire.post(ADJUST, json={**ITEM, "updated_at": time})

    assert deduct(client) == Adjusted("10", -2, 8, None, None)


@pytest.mark.parametrize("where", [7, {"aisle": 3}, "A\0"])
def test_field_that_nobody_reads_may_be_anything(
    wire: responses.RequestsMock, client: InventoryClient, where: object
) -> None:
    wire.get(READ, json={**ITEM, "warehouse_location": where})

    assert client.read("10").quantity == 8


@pytest.mark.parametrize(
    ("delta", "verb", "answer"),
    [
        (-2, "remove", REMOVED),
        (2, "add", {**REMOVED, "quantity_added": 2, "quantity_removed": None}),
    ],
)
def test_adjust_through_the_gateway_sends_a_positive_quantity_to_its_verb(
    wire: responses.RequestsMock,
    gateway: InventoryClient,
    delta: int,
    verb: str,
    answer: dict[str, object],
) -> None:
    wire.post(f"{GATEWAY}/stock/10/{verb}", json=answer)

    assert deduct(gateway, delta=delta) == Adjusted("10", delta, 8, None)
    assert json.loads(wire.calls[0].request.body or b"")["quantity"] == 2


def test_adjust_short_of_stock_tells_what_is_there(
    wire: responses.RequestsMock, client: InventoryClient
) -> None:
    wire.post(ADJUST, status=400, json={"detail": SHORT}, headers={"x-trace-id": "t1"})

    failure = failure_of(lambda: deduct(client))

    assert (failure.available, failure.http_status, failure.trace_id, failure.detail) == (
        3,
        400,
        "t1",
        SHORT,
    )


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", None)]
)
def test_adjust_throttled_tells_when_to_come_back(
    wire: responses.RequestsMock, client: InventoryClient, header: str, seconds: float | None
) -> None:
    wire.post(ADJUST, status=429, headers={"Retry-After": header})

    assert failure_of(lambda: deduct(client)).retry_after == seconds
