"""Correcting an order: the sheet, what it refuses, and what it never loses."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.db import OperationalError
from django.test import Client

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.actor import Actor
from orders.lifecycle import Amendment, Item
from orders.models import Order, OrderEvent
from orders.status import Door, HoldReason
from tests.admin.conftest import SignIn
from tests.admin.pages import address, page, told
from tests.factories import OPERATOR, order_of, staff

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

pytestmark = pytest.mark.usefixtures("committed_db")

CONTACT = ("full_name", "email", "address", "city", "zip_code")


def sheet(order: Order, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return what a browser sends of the sheet of an order as it is, but for what is given."""
    rows = list(lines) or [
        {"product_id": each.product_id, "quantity": each.quantity, "unit_price": each.unit_price}
        for each in order.items.order_by("pk")
    ]
    sent = {name: getattr(order, name) for name in CONTACT}
    sent |= {"expected_version": order.version}
    sent |= {"lines-TOTAL_FORMS": len(rows) + 1, "lines-INITIAL_FORMS": order.items.count()}
    for index, row in enumerate([*rows, {"product_id": "", "quantity": "", "unit_price": ""}]):
        sent |= {f"lines-{index}-{name}": value for name, value in row.items()}
    return sent | fields


def line(product_id: str, quantity: Any = 1, price: Any = "50.00", **more: str) -> dict[str, Any]:
    return {"product_id": product_id, "quantity": quantity, "unit_price": price} | more


def send(client: Client, order: Order, *lines: dict[str, Any], **fields: Any) -> Response:
    """Send the sheet."""
    return client.post(address(order, "amend"), sheet(order, *lines, **fields))


def lines_of(order: Order) -> list[str]:
    return [
        f"{each.quantity} × {each.product_id} at {each.unit_price}"
        for each in order.items.order_by("pk")
    ]


def by_ann(order: Order, **fields: str) -> Order:
    """Have another member of staff correct the order."""
    ann = Actor(via=Door.ADMIN, user=staff("manager", username="ann"))
    said = {name: getattr(order, name) for name in CONTACT} | fields
    items = [Item(each.product_id, each.quantity, each.unit_price) for each in order.items.all()]
    return lifecycle.amend(
        order.pk, Amendment(**said, items=items), actor=ann, expected_version=order.version
    )


def test_sheet_shows_what_the_order_says(sign_in: SignIn) -> None:
    placed = order_of(p10=2, p9=1)
    shown = sign_in("manager").get(address(placed, "amend")).context["sheet"]
    assert {field.name: field.value() for field, _ in shown.fields} == {
        name: getattr(placed, name) for name in CONTACT
    }
    assert [form["product_id"].value() for form in shown.lines] == ["10", "9", None, None, None]


def test_save_corrects_contact_and_lines_and_stands_in_the_timeline(sign_in: SignIn) -> None:
    placed = order_of(p10=2, p9=1)
    client = sign_in("manager")

    response = send(
        client,
        placed,
        line("10", 3),
        line("9", DELETE="on"),
        line(" TEE-M ", "4", "9.9"),
        city=" Shelbyville ",
    )

    assert told(response) == [("success", f"#{placed.pk} corrected")]
    assert response["Location"] == page(placed)
    placed.refresh_from_db()
    assert (placed.city, placed.total, placed.version) == ("Shelbyville", Decimal("189.60"), 2)
    assert lines_of(placed) == ["3 × 10 at 50.00", "4 × TEE-M at 9.90"]
    [event] = client.get(page(placed)).context["timeline"]
    assert (event.what, event.who, event.door) == ("Corrected", "manager", "in the admin")
    assert event.why == (
        "city, − 2 × 10 at 50.00, − 1 × 9 at 50.00, + 3 × 10 at 50.00, + 4 × TEE-M at 9.90"
    )


def test_save_of_what_the_order_says_already_leaves_no_trace(sign_in: SignIn) -> None:
    placed = order_of(p10=2)
    assert told(send(sign_in("manager"), placed)) == [("success", f"#{placed.pk} says so already")]
    assert not OrderEvent.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "auditor", "fulfilment"])
def test_sheet_without_the_permission_is_forbidden(sign_in: SignIn, role: str) -> None:
    placed = order_of(p10=2)
    client = sign_in(role)
    assert client.get(address(placed, "amend")).status_code == 403
    assert send(client, placed, city="Eve").status_code == 403
    assert address(placed, "amend") not in client.get(page(placed)).content.decode()
    placed.refresh_from_db()
    assert placed.city == "Springfield"


def test_sheet_for_an_outsider_leads_to_signing_in() -> None:
    placed = order_of(p10=2)
    response = send(Client(), placed, city="Eve")
    assert response["Location"] == f"/admin/login/?next={page(placed)}"
    placed.refresh_from_db()
    assert placed.city == "Springfield"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("full_name", ""),
        ("full_name", "x" * 201),
        ("email", "nobody"),
        ("email", f"{'x' * 64}@{'y' * 60}.{'z' * 60}.{'a' * 60}.{'b' * 60}.example"),
        ("address", "  "),
        ("address", "x" * 501),
        ("city", "Spring\x07field"),
        ("city", "x" * 101),
        ("zip_code", "x" * 21),
        ("zip_code", "1\x00"),
        ("expected_version", "0"),
    ],
)
def test_contact_with_a_fault_is_kept_and_changes_nothing(
    sign_in: SignIn, name: str, value: str
) -> None:
    placed = order_of(p10=2)
    response = send(sign_in("manager"), placed, line("10", 7), **{name: value})
    shown = response.context["sheet"]
    assert (response.status_code, list(shown.contact.errors)) == (422, [name])
    assert shown.contact[name].value() == value
    assert shown.lines.forms[0]["quantity"].value() == "7"
    placed.refresh_from_db()
    assert (placed.version, lines_of(placed)) == (1, ["2 × 10 at 50.00"])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("product_id", ""),
        ("product_id", ".."),
        ("product_id", "a/b"),
        ("product_id", "a\\b"),
        ("product_id", "a\u200bb"),
        ("product_id", "x" * 101),
        ("quantity", "0"),
        ("quantity", "-1"),
        ("quantity", "1.5"),
        ("quantity", "100000001"),
        ("quantity", "9" * 5000),
        ("quantity", ""),
        ("unit_price", "-1"),
        ("unit_price", "0.001"),
        ("unit_price", "10000000"),
        ("unit_price", "1e3"),
        ("unit_price", "NaN"),
        ("unit_price", "\uff11"),
        ("unit_price", ""),
    ],
)
def test_line_with_a_fault_is_kept_and_changes_nothing(
    sign_in: SignIn, name: str, value: str
) -> None:
    placed = order_of(p10=2)
    response = send(
        sign_in("manager"), placed, line("10"), line("9") | {name: value}, city="Elsewhere"
    )
    shown = response.context["sheet"]
    assert response.status_code == 422
    assert [list(errors) for errors in shown.lines.errors] == [[], [name], []]
    assert shown.lines.forms[1][name].value() == value
    assert shown.contact["city"].value() == "Elsewhere"
    placed.refresh_from_db()
    assert (placed.version, placed.city) == (1, "Springfield")


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ([line("10", DELETE="on")], "Please submit at least 1 form."),
        ([line(f"A{each}") for each in range(101)], "Please submit at most 100 forms."),
        ([line("10", 100_000_000), line("9", 1)], "An order has 100,000,000 pieces at most."),
    ],
)
def test_lines_that_make_no_order_together_are_refused(
    sign_in: SignIn, lines: list[dict[str, Any]], fault: str
) -> None:
    placed = order_of(p10=2)
    response = send(sign_in("manager"), placed, *lines)
    shown = response.context["sheet"].lines
    assert (response.status_code, shown.non_form_errors()) == (422, [fault])
    assert [form["product_id"].value() for form in shown][: len(lines)] == [
        each["product_id"] for each in lines
    ]
    assert lines_of(placed) == ["2 × 10 at 50.00"]


def test_largest_order_can_be_corrected(sign_in: SignIn) -> None:
    """100 lines whose names take four bytes a letter: more than a body in one piece may be."""
    placed = order_of(p10=2)
    products = [f"{'🫖' * 97}{each:03}" for each in range(100)]
    rows = [line(product, 1_000_000, "9999999.99") for product in products]
    fields = {"address": "🫖" * 500, "lines-TOTAL_FORMS": 100}
    response = send(sign_in("manager"), placed, *rows, **fields)
    assert told(response) == [("success", f"#{placed.pk} corrected")]
    placed.refresh_from_db()
    assert (placed.items.count(), placed.total) == (100, Decimal("999999999000000.00"))


def test_merged_line_above_what_a_customer_may_send_can_stay(sign_in: SignIn) -> None:
    placed = order_of(p10=2_000_000)
    assert told(send(sign_in("manager"), placed, city="Elsewhere"))[0][0] == "success"


@pytest.mark.parametrize("faults", [{}, {"lines-TOTAL_FORMS": "x"}, {"lines-TOTAL_FORMS": "5000"}])
def test_sheet_without_its_count_of_lines_is_refused(
    sign_in: SignIn, faults: dict[str, str]
) -> None:
    placed = order_of(p10=2)
    sent = sheet(placed)
    del sent["lines-TOTAL_FORMS"]
    response = sign_in("manager").post(address(placed, "amend"), sent | faults)
    assert response.status_code == 422
    assert lines_of(placed) == ["2 × 10 at 50.00"]


# --- two staff on one page -----------------------------------------------------------------------


def test_the_slower_keeps_what_was_typed_and_can_save_it_on_the_new_version(
    sign_in: SignIn,
) -> None:
    placed = order_of(p10=2)
    client = sign_in("manager")
    by_ann(placed, zip_code="99999")

    response = send(client, placed, line("10", 5), address="1 Side St")

    assert response.status_code == 409
    assert [(each.who, each.what, each.why) for each in response.context["changes"]] == [
        ("ann", "Corrected", "zip code")
    ]
    shown = response.context["sheet"]
    assert {field.name: said for field, said in shown.fields if said} == {
        "address": "123 Main St",
        "zip_code": "99999",
    }
    assert response.context["said_lines"] == "2 × 10 at 50.00"
    assert shown.contact["address"].value() == "1 Side St"
    assert shown.lines.forms[0]["quantity"].value() == "5"
    placed.refresh_from_db()
    assert (placed.address, placed.zip_code, placed.version) == ("123 Main St", "99999", 2)

    version = shown.contact["expected_version"].value()
    again = send(client, placed, line("10", 5), address="1 Side St", expected_version=version)

    assert told(again) == [("success", f"#{placed.pk} corrected")]
    placed.refresh_from_db()
    assert (placed.address, lines_of(placed)) == ("1 Side St", ["5 × 10 at 50.00"])


def test_save_of_an_order_that_was_confirmed_meanwhile_keeps_what_was_typed(
    sign_in: SignIn, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 45})
    placed = order_of(p10=2)
    lifecycle.confirm(placed.pk, actor=OPERATOR)
    client = sign_in("manager")

    stale = send(client, placed, city="Elsewhere")
    version = Order.objects.get(pk=placed.pk).version
    late = send(client, placed, city="Elsewhere", expected_version=version)

    why = "That can't be done any more: the order is CONFIRMED."
    for response in (stale, late):
        assert (response.status_code, response.context["failure"]) == (409, why)
        assert response.context["sheet"].contact["city"].value() == "Elsewhere"
        assert not response.context["can_save"]
    placed.refresh_from_db()
    assert placed.city == "Springfield"


def test_save_during_a_live_confirmation_keeps_what_was_typed(sign_in: SignIn) -> None:
    placed = order_of(p10=2)
    lifecycle.confirm_many([placed.pk], actor=OPERATOR)
    placed.refresh_from_db()
    client = sign_in("manager")

    response = send(client, placed, city="Elsewhere")

    assert (response.status_code, response.context["failure"]) == (
        409,
        "That can't be done any more: the order is PENDING, and its stock is on its way.",
    )
    assert response.context["sheet"].contact["city"].value() == "Elsewhere"
    assert client.get(address(placed, "amend"))["Location"] == page(placed)


def test_order_on_hold_can_be_corrected(sign_in: SignIn) -> None:
    placed = order_of(p10=2)
    held = lifecycle.hold(placed.pk, actor=OPERATOR, reason=HoldReason.ADDRESS)
    assert told(send(sign_in("manager"), held, city="Elsewhere")) == [
        ("success", f"#{placed.pk} corrected")
    ]
    held.refresh_from_db()
    assert (held.city, held.hold_reason) == ("Elsewhere", "address")


def test_save_with_the_order_locked_for_too_long_keeps_what_was_typed(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = order_of(p10=2)

    def amend(*_: object, **__: object) -> Order:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(lifecycle, "amend", amend)
    response = send(sign_in("manager"), placed, city="Elsewhere")
    assert response.status_code == 503
    assert response.context["sheet"].contact["city"].value() == "Elsewhere"


def test_statements_of_the_sheet_do_not_grow_with_the_lines(
    sign_in: SignIn, django_assert_num_queries: Any
) -> None:
    client = sign_in("manager")
    few, many = order_of(p10=1), order_of("50.00", **{f"A{each}": 1 for each in range(60)})
    for placed in (few, many):
        with django_assert_num_queries(8):
            client.get(address(placed, "amend"))
