"""POST /api/orders: what is refused, by name."""

from typing import Any

import pytest

from inventory_client.sandbox.server import Sandbox
from orders.models import Order
from tests.api.calls import ORDERS, body, create, faults, guest, item

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("field", ["fullName", "email", "address", "city", "zipCode", "items"])
def test_create_without_a_field_is_refused(field: str) -> None:
    assert faults(create(guest(), **{field: None})) == [(field, "required")]


@pytest.mark.parametrize("value", [1, 1.5, True, ["x"], {"x": 1}])
@pytest.mark.parametrize("field", ["fullName", "email", "address", "city", "zipCode", "userId"])
def test_create_with_a_text_of_another_type_is_refused(field: str, value: Any) -> None:
    assert faults(create(guest(), **{field: value})) == [(field, "invalid")]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("fullName", "", "blank"),
        ("fullName", "   ", "blank"),
        ("fullName", "x" * 201, "max_length"),
        ("fullName", "John\x00Doe", "control_character"),
        ("fullName", "John\nDoe", "control_character"),
        ("fullName", "John\x7f", "control_character"),
        ("fullName", "John\x85", "control_character"),
        ("address", "x" * 501, "max_length"),
        ("city", "x" * 101, "max_length"),
        ("zipCode", "x" * 21, "max_length"),
        ("userId", "x" * 101, "max_length"),
        ("userId", "", "blank"),
        ("email", "john", "invalid"),
        ("email", "john@", "invalid"),
        ("email", "john@example.com, jane@example.com", "invalid"),
        ("items", [], "empty"),
        ("items", {}, "not_a_list"),
        ("items", "10", "not_a_list"),
        ("items", [item()] * 101, "max_length"),
    ],
)
def test_create_with_a_bad_value_is_refused(field: str, value: Any, code: str) -> None:
    assert faults(create(guest(), **{field: value})) == [(field, code)]


def test_create_with_an_endless_email_is_refused() -> None:
    answer = create(guest(), email="j" * 64 + "@" + "x." * 120 + "com")
    assert {field for field, _ in faults(answer)} == {"email"}


@pytest.mark.parametrize("value", [0, -1, 1_000_001, 2**63, 10**400, 1e300, -1e300, 0.0])
def test_create_with_a_quantity_out_of_range_is_refused(value: int) -> None:
    [(field, code)] = faults(create(guest(), items=[item(quantity=value)]))
    assert field == "items[0].quantity"
    assert code in ("min_value", "max_value")


@pytest.mark.parametrize("quantity", ["2", "2.0", "2e0", "0.2e1"])
@pytest.mark.usefixtures("plenty")
def test_create_with_an_integer_however_written_takes_it(quantity: str) -> None:
    answer = _raw(f'{{"productId":"10","quantity":{quantity},"price":50}}')
    assert answer.json()["items"][0]["quantity"] == 2


@pytest.mark.parametrize("quantity", ["1e999999", "-1e999999"])
def test_create_with_an_endless_quantity_is_refused(quantity: str) -> None:
    [(field, _)] = faults(_raw(f'{{"productId":"10","quantity":{quantity},"price":50}}'))
    assert field == "items[0].quantity"


@pytest.mark.parametrize("value", [1.5, 1e-9, "1", "2.0", True, [1], {}])
def test_create_with_a_quantity_of_another_type_is_refused(value: Any) -> None:
    answer = create(guest(), items=[item(quantity=value)])
    assert faults(answer) == [("items[0].quantity", "invalid")]


@pytest.mark.parametrize(
    ("price", "code"),
    [
        ("-1", "out_of_range"),
        ("-0.01", "out_of_range"),
        ("0.001", "max_decimal_places"),
        ("1e-3", "max_decimal_places"),
        ("1e-999999", "max_decimal_places"),
        ("10000000", "out_of_range"),
        ("9999999.991", "out_of_range"),
        ("1e400", "out_of_range"),
        ("1e999999", "out_of_range"),
        ('"-1"', "invalid"),
        ('"0.001"', "max_decimal_places"),
        ('"10000000.00"', "out_of_range"),
        ('"1e2"', "invalid"),
        ('"1_0"', "invalid"),
        ('"٣"', "invalid"),
        ('"NaN"', "invalid"),
        ('"Infinity"', "invalid"),
        ('"$5"', "invalid"),
        ('"5\\n"', "invalid"),
        ('"\\u001f5"', "invalid"),
        ('""', "invalid"),
        ("true", "invalid"),
        ("[]", "invalid"),
        ("null", "null"),
    ],
)
def test_create_with_a_bad_price_is_refused(price: str, code: str) -> None:
    answer = _raw(f'{{"productId":"10","quantity":2,"price":{price}}}')
    assert faults(answer) == [("items[0].price", code)]


@pytest.mark.parametrize(
    ("product_id", "code"),
    [
        (10, "invalid"),
        (True, "invalid"),
        (None, "null"),
        ("", "blank"),
        (" ", "blank"),
        (".", "invalid_product_id"),
        ("..", "invalid_product_id"),
        ("a/b", "invalid_product_id"),
        ("a\\b", "invalid_product_id"),
        ("a\u200bb", "invalid_product_id"),
        ("a\u00a0b", "invalid_product_id"),
        ("a\ue000b", "invalid_product_id"),
        ("a\tb", "control_character"),
        ("x" * 101, "max_length"),
    ],
)
def test_create_with_a_bad_product_id_is_refused(product_id: Any, code: str) -> None:
    answer = create(guest(), items=[item(product_id)])
    assert faults(answer) == [("items[0].productId", code)]


@pytest.mark.parametrize("field", ["status", "total", "id", "currency", "full_name", "x" * 100])
def test_create_with_an_unknown_field_is_refused_by_name(field: str) -> None:
    assert faults(create(guest(), **{field: "CONFIRMED"})) == [(field, "unknown_field")]


def test_create_with_an_unknown_field_of_an_item_is_refused_by_name() -> None:
    answer = create(guest(), items=[item(), item() | {"subtotal": 0}])
    assert faults(answer) == [("items[1].subtotal", "unknown_field")]


@pytest.mark.parametrize("entry", [None, 1, "10", ["10"]])
def test_create_with_an_item_of_another_type_is_refused(entry: Any) -> None:
    [(field, code)] = faults(create(guest(), items=[item(), entry]))
    assert field == "items[1]"
    assert code in ("invalid", "null")


@pytest.mark.parametrize("content", ["[]", "null", '"x"', "1", "true", "[[1]]"])
def test_create_with_no_object_is_refused(content: str) -> None:
    answer = guest().post(ORDERS, content, content_type="application/json")
    [(field, code)] = faults(answer)
    assert field == ""
    assert code in ("invalid", "null")


def test_create_without_a_body_names_every_field() -> None:
    fields = ["address", "city", "email", "fullName", "items", "zipCode"]
    assert faults(guest().post(ORDERS)) == [(field, "required") for field in fields]


def test_create_with_many_faults_names_all_at_once() -> None:
    answer = create(
        guest(),
        fullName="",
        email="john",
        status="CONFIRMED",
        items=[item(quantity=0), item(), item(price=-1, product_id=".") | {"x": 1}],
    )
    assert faults(answer) == [
        ("email", "invalid"),
        ("fullName", "blank"),
        ("items[0].quantity", "min_value"),
        ("items[2].price", "out_of_range"),
        ("items[2].productId", "invalid_product_id"),
        ("items[2].x", "unknown_field"),
        ("status", "unknown_field"),
    ]
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    ("price", "shown"),
    [
        ("0", "0.00"),
        ("-0.0", "0.00"),
        ("50", "50.00"),
        ("50.0", "50.00"),
        ("5e1", "50.00"),
        ("0.1", "0.10"),
        ('"0.10"', "0.10"),
        ("9999999.99", "9999999.99"),
    ],
)
@pytest.mark.usefixtures("plenty")
def test_create_with_a_good_price_keeps_it_exactly(price: str, shown: str) -> None:
    answer = _raw(f'{{"productId":"10","quantity":2,"price":{price}}}')
    assert answer.json()["items"][0]["price"] == shown


@pytest.mark.parametrize(
    "product_id", ["SKU 1", "ключ", "a%2Fb", "-1", "x" * 100, "'; --", "日本", "...", "a\u0378"]
)
@pytest.mark.usefixtures("plenty")
def test_create_with_an_odd_product_id_asks_the_inventory_for_it(product_id: str) -> None:
    answer = create(guest(), items=[item(product_id)])
    assert answer.status_code == 409
    assert answer.json()["items"] == [{"productId": product_id, "requested": 2, "available": 0}]


def _raw(item: str) -> Any:
    """Send one item as it is written here: no renderer comes between."""
    members = ",".join(f'"{name}":"{value}"' for name, value in body(items=None).items())
    content = f'{{{members},"items":[{item}]}}'
    return guest().post(ORDERS, content.encode(), content_type="application/json")


def test_create_with_a_null_user_id_is_a_guests(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    answer = create(guest(), userId=None)
    assert answer.status_code == 201
    assert answer.json()["userId"].startswith("guest-")
