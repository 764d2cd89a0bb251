"""What a client may send: the table's rows of bodies, items, fields and pages."""

import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from orders.models import Order
from tests.api.calls import ORDERS, body, create, customer, faults, guest, item, refusal, service
from tests.api.calls import url as order_url
from tests.factories import order_of

pytestmark = pytest.mark.django_db

WHOLE = json.dumps(body())
KIB = 1024


def named(text: str) -> str:
    """Return a body whose name is written as here."""
    return WHOLE.replace('"John Doe"', text)


@pytest.mark.parametrize("caller", ["guest", "customer", "service"])
def test_mass_assignment_is_refused_by_name(plenty: None, caller: str) -> None:
    clients: dict[str, Callable[[], APIClient]] = {
        "guest": guest,
        "customer": lambda: customer()[1],
        "service": service,
    }
    fields = ["status", "total", "id", "number", "currency", "createdAt", "stock", "owner"]
    fields += ["ownerId", "holdReason", "version", "publicId", "placedFrom", "__proto__", "x"]
    answer = create(clients[caller](), **dict.fromkeys(fields, "1"))
    assert faults(answer) == sorted((field, "unknown_field") for field in fields)
    inside = create(clients[caller](), items=[item() | {"subtotal": "0.01", "id": 1}])
    assert faults(inside) == [
        ("items[0].id", "unknown_field"),
        ("items[0].subtotal", "unknown_field"),
    ]
    changed = service().patch(
        order_url(order_of(p10=1), "/status"), {"status": "CANCELLED", "total": "0"}, format="json"
    )
    assert faults(changed) == [("total", "unknown_field")]
    assert Order.objects.count() == 1


BODIES: dict[str, tuple[bytes | str, dict[str, str], int]] = {
    "over 64 KiB": (b" " * (64 * KIB + 1), {}, 413),
    "5 MB": (b" " * 5_000_000, {}, 413),
    "gzip": (gzip.compress(WHOLE.encode()), {"Content-Encoding": "gzip"}, 415),
    "gzip bomb": (gzip.compress(b" " * 50_000_000), {"Content-Encoding": "gzip"}, 415),
    "form": (WHOLE, {"Content-Type": "application/x-www-form-urlencoded"}, 415),
    "multipart": (WHOLE, {"Content-Type": "multipart/form-data; boundary=x"}, 415),
    "xml": ("<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><x>&y;</x>", {}, 400),
    "another charset": (WHOLE, {"Content-Type": "application/json; charset=utf-7"}, 415),
    "10,000 nested lists": ("[" * 10_000 + "]" * 10_000, {}, 400),
    "10,000 nested objects": ('{"a":' * 10_000 + "1" + "}" * 10_000, {}, 400),
    "5,000 digits": (named("9" * 5000), {}, 400),
    "5,000 digits of a quantity": (WHOLE.replace(": 2,", ": " + "9" * 5000 + ","), {}, 400),
    "5,000 digits of a price": (WHOLE.replace(": 50}", ": " + "9" * 5000 + "}"), {}, 400),
    "an endless exponent": (WHOLE.replace(": 50}", ": 1e" + "9" * 30 + "}"), {}, 400),
    "NaN": (named("NaN"), {}, 400),
    "Infinity": (WHOLE.replace(": 50}", ": Infinity}"), {}, 400),
    "NUL": (WHOLE.replace("John", "J\\u0000hn"), {}, 400),
    "NUL as a byte": (WHOLE.replace("John", "J\x00hn"), {}, 400),
    "a lone surrogate": (named('"\\ud83d"'), {}, 400),
    "a surrogate in a key": (WHOLE.replace('"city"', '"\\udc00"'), {}, 400),
    "invalid UTF-8": (WHOLE.encode().replace(b"John", b"\xff\xfe"), {}, 400),
    "a surrogate in UTF-8": (WHOLE.encode().replace(b"John", b"\xed\xa0\x80"), {}, 400),
    "UTF-16": (WHOLE.encode("utf-16"), {}, 400),
    "a field twice": (WHOLE.replace('"city"', '"fullName"'), {}, 400),
    "nothing": ("", {}, 400),
    "null": ("null", {}, 400),
    "a list": ("[]", {}, 400),
    "a text": ('"x"', {}, 400),
    "cut short": (WHOLE[:-1], {}, 400),
    "more than one": (WHOLE + WHOLE, {}, 400),
    "3,000 unknown fields": (json.dumps({f"x{n}": 1 for n in range(3000)}), {}, 400),
    "a length of its own": (WHOLE, {"Content-Length": "-1"}, 400),
}


@pytest.mark.parametrize("case", BODIES)
def test_body_that_is_hostile_is_refused(case: str) -> None:
    sent, headers, status = BODIES[case]
    content: Any = sent
    headers = {"Content-Type": "application/json"} | headers
    answer: Any = guest().generic(
        "POST", ORDERS, content, headers.pop("Content-Type"), headers=headers
    )
    assert (refusal(answer)[0], Order.objects.count()) == (status, 0)


QUANTITIES: list[Any] = [0, -1, 1.5, "1", True, None, [], {}, 2**63, -(2**63), 10**400, 1_000_001]
PRICES: list[Any] = [-1, 0.001, "0.001", True, None, [], "1e2", "NaN", "", 10**7, "10000000.00"]
PRODUCTS: list[Any] = [10, "", " ", ".", "..", "a/b", "a\\b", "a\nb", "x" * 101, None, True]
ITEMS: dict[str, tuple[list[Any], str]] = {
    "none": ([], "items"),
    "101": ([item(f"{n}") for n in range(101)], "items"),
    **{
        f"quantity {value!r}"[:30]: ([item(quantity=value)], "items[0].quantity")
        for value in QUANTITIES
    },
    **{f"price {value!r}"[:30]: ([item(price=value)], "items[0].price") for value in PRICES},
    **{f"product {value!r}"[:30]: ([item(value)], "items[0].productId") for value in PRODUCTS},
    "no object": (["x"], "items[0]"),
}


@pytest.mark.parametrize("case", ITEMS)
def test_items_that_make_no_sense_are_refused_by_name(case: str) -> None:
    items, field = ITEMS[case]
    assert {name for name, _ in faults(create(guest(), items=items))} == {field}
    assert Order.objects.count() == 0


def test_items_at_an_endless_price_are_refused_by_name() -> None:
    sent = WHOLE.replace(": 50}", ": 1e400}")
    answer: Any = guest().generic("POST", ORDERS, sent, "application/json")
    assert faults(answer) == [("items[0].price", "out_of_range")]


def test_items_that_are_the_same_are_one_line(plenty: None) -> None:
    answer = create(guest(), items=[item(price=50), item(price="50.00"), item(price=40)])
    assert [each["quantity"] for each in answer.json()["items"]] == [4, 2]


@pytest.mark.parametrize(
    "value", ["0", "-1", "101", "abc", "", "1.0", "1e2", "٣", str(2**63), "+1"]
)
@pytest.mark.parametrize("name", ["limit", "page", "cursor"])
def test_paging_with_nonsense_is_refused_by_name(name: str, value: str) -> None:
    client = service("viewer")
    if (name, value) == ("page", "101") or (name == "cursor" and value.lstrip("+-").isdecimal()):
        assert client.get(ORDERS, {name: value}).status_code in (200, 400)
        return
    assert {field for field, _ in faults(client.get(ORDERS, {name: value}))} == {name}


@pytest.mark.parametrize(
    "value", ["2^63", "' OR 1=1", "1;2", "x" * 61, "9" * 60, "\x00", "2026-01-01"]
)
@pytest.mark.parametrize("sort", ["number", "-createdAt", "total", "-updatedAt"])
def test_paging_by_a_made_up_cursor_is_refused(sort: str, value: str) -> None:
    answer = service("viewer").get(ORDERS, {"cursor": value, "sort": sort})
    assert answer.status_code == 400
    assert refusal(answer)[1] == "invalid"


@pytest.mark.parametrize("inside", ["{}", "1", "null", '{"x":1}', "[]"])
def test_items_by_the_thousand_are_refused_shortly(inside: str) -> None:
    sent = '{"items":[' + ",".join([inside] * (63_000 // (len(inside) + 1))) + "]}"
    begun = time.thread_time()
    answer: Any = guest().generic("POST", ORDERS, sent, "application/json")
    assert time.thread_time() - begun < 1
    assert ("items", "max_length") in faults(answer)
    assert len(answer.content) < 32 * KIB


def test_items_too_many_are_a_fault_beside_those_of_the_first() -> None:
    answer = create(guest(), items=[item(quantity=0), *[item()] * 100])
    assert faults(answer) == [("items", "max_length"), ("items[0].quantity", "min_value")]


@pytest.mark.parametrize("path", [ORDERS, "/api/auth/token"])
def test_mass_assignment_by_the_thousand_is_refused_shortly(path: str) -> None:
    sent = json.dumps({f"a{number}": 1 for number in range(5000)})
    answer: Any = guest().generic("POST", path, sent, "application/json")
    assert refusal(answer) == (400, "invalid")
    assert len(answer.json()["errors"]) == 200
