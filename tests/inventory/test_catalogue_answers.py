"""What the catalogue's answers prove, and what is asked of it."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest
import responses

from inventory_client import CatalogueClient, CatalogueUnavailable

BASE = "https://catalogue.test/v1"
PRODUCT = f"{BASE}/products/10"


@pytest.fixture
def client() -> CatalogueClient:
    return CatalogueClient(f"{BASE}/")


def refusal(client: CatalogueClient, *product_ids: str) -> str:
    with pytest.raises(CatalogueUnavailable) as caught:
        client.prices(product_ids or ["10"])
    return caught.value.code


@pytest.mark.parametrize(
    ("price", "read"),
    [
        ("50", "50.00"),
        ("50.0", "50.00"),
        ("5e1", "50.00"),
        ("50.000", "50.00"),
        ("0.1", "0.10"),  # which as a float would be a little more
        ('"50"', "50.00"),
        ('"50.00"', "50.00"),
        ('"50.000"', "50.00"),
        ("0", "0.00"),
        ("-0.0", "0.00"),
        ("9999999999999999.99", "9999999999999999.99"),
    ],
)
def test_prices_read_numbers_and_strings_to_the_cent(
    wire: responses.RequestsMock, client: CatalogueClient, price: str, read: str
) -> None:
    wire.get(PRODUCT, body=f'{{"id": "10", "name": "A mug", "price": {price}}}')
    assert str(client.prices(["10"])["10"]) == read


@pytest.mark.parametrize(
    "price",
    [
        "50.001",
        '"50.005"',
        "-1",
        '"-1"',
        "NaN",
        '"NaN"',
        "Infinity",
        '"Infinity"',
        "1e400",
        "1e-400",
        "1e99999999999999999999",
        "10000000000000000",
        "1" * 5000,
        '"1e3"',
        '"50,00"',
        '" 50"',
        '"+50"',
        '"\\u0665"',
        '""',
        "null",
        "true",
        "[50]",
        '{"amount": 50}',
    ],
)
def test_prices_answered_with_what_is_no_price_are_unavailable(
    wire: responses.RequestsMock, client: CatalogueClient, price: str
) -> None:
    wire.get(PRODUCT, body=f'{{"id": "10", "price": {price}}}'.encode())
    assert refusal(client) == "bad_answer"


@pytest.mark.parametrize(
    "body",
    [
        '{"id": "10"}',
        '{"price": 50}',
        '{"id": "11", "price": 50}',
        '{"id": 11, "price": 50}',
        '{"id": 10.0, "price": 50}',
        '{"id": null, "price": 50}',
        '{"id": ["10"], "price": 50}',
        '[{"id": "10", "price": 50}]',
        "50",
        "{",
        "",
        "<html>",
        "[" * 60_000,
    ],
)
def test_prices_answered_for_something_else_are_unavailable(
    wire: responses.RequestsMock, client: CatalogueClient, body: str
) -> None:
    wire.get(PRODUCT, body=body)
    assert refusal(client) == "bad_answer"


def test_prices_take_an_id_that_is_a_number_for_its_digits(
    wire: responses.RequestsMock, client: CatalogueClient
) -> None:
    wire.get(PRODUCT, body='{"id": 10, "price": 50}')
    wire.get(f"{BASE}/products/1", body='{"id": true, "price": 50}')
    assert client.prices(["10"]) == {"10": Decimal(50)}
    assert refusal(client, "1") == "bad_answer"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (201, "unexpected_status"),
        (204, "unexpected_status"),
        (301, "redirected"),
        (304, "redirected"),
        (400, "invalid_request"),
        (401, "misconfigured"),
        (403, "misconfigured"),
        (410, "unexpected_status"),
        (429, "throttled"),
        (500, "server_error"),
        (503, "server_error"),
    ],
)
def test_prices_answered_with_another_status_are_unavailable(
    wire: responses.RequestsMock, client: CatalogueClient, status: int, code: str
) -> None:
    body = "" if status in (204, 304) else '{"id": "10", "price": 50}'
    wire.get(PRODUCT, status=status, body=body, headers={"Retry-After": "7"})
    with pytest.raises(CatalogueUnavailable) as caught:
        client.prices(["10"])
    assert (caught.value.code, caught.value.http_status) == (code, status)
    assert caught.value.retry_after == 7


@pytest.mark.parametrize("body", ["", "<html>", '{"detail": "Product 10 not found"}'])
def test_prices_of_a_product_that_is_not_there_are_none(
    wire: responses.RequestsMock, client: CatalogueClient, body: str
) -> None:
    wire.get(PRODUCT, status=404, body=body)
    wire.get(f"{BASE}/products/3", json={"id": "3", "price": 4})
    assert client.prices(["10", "3"]) == {"10": None, "3": Decimal(4)}


def test_prices_send_what_the_contract_asks_for(
    wire: responses.RequestsMock, client: CatalogueClient
) -> None:
    wire.get(PRODUCT, json={"id": "10", "price": 50})
    client.prices(["10"], request_id="req-1")
    client.prices(["10"], request_id="a\r\nX-Evil: 1")
    first, second = (dict(call.request.headers) for call in wire.calls)
    assert first == {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "order-service",
        "X-Request-ID": "req-1",
    }
    assert second.keys() == first.keys() - {"X-Request-ID"}


def test_prices_ask_once_for_a_product(
    wire: responses.RequestsMock, client: CatalogueClient
) -> None:
    wire.get(PRODUCT, json={"id": "10", "price": 50})
    assert client.prices(["10", "10", "10"]) == {"10": Decimal(50)}
    assert client.prices([]) == {}
    assert len(wire.calls) == 1


@pytest.mark.parametrize("product_id", ["a b", "...", "%2e", "Äpfel ☕", "a?b#c", "x" * 100])
def test_prices_of_an_unusual_id_quote_it_whole(
    wire: responses.RequestsMock, client: CatalogueClient, product_id: str
) -> None:
    wire.add_callback(
        responses.GET,
        re.compile(f"{BASE}/products/[^/?#]+$"),
        callback=lambda request: (200, {}, json.dumps({"id": product_id, "price": 1})),
    )
    assert client.prices([product_id]) == {product_id: Decimal(1)}


@pytest.mark.parametrize("product_id", ["", ".", "..", "a/b", "a\\b", "\ud800"])
def test_prices_of_an_impossible_id_are_refused_before_any_call(
    wire: responses.RequestsMock, client: CatalogueClient, product_id: str
) -> None:
    assert refusal(client, "10", product_id) == "invalid_product_id"
    assert len(wire.calls) == 0


@pytest.mark.parametrize(
    "url",
    [
        "catalogue.test",
        "ftp://catalogue.test",
        "file:///etc/passwd",
        "https://me:secret@catalogue.test",
        "https://catalogue.test/?a=1",
    ],
)
def test_client_with_an_unusable_url_refuses_to_start(url: str) -> None:
    with pytest.raises(ValueError, match=r"^the catalogue URL"):
        CatalogueClient(url)
