"""The order page: what it shows, and that it changes nothing by itself."""

import pytest

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.actor import Actor
from orders.errors import InsufficientStock
from orders.models import OrderNote
from orders.status import Door
from tests.admin.conftest import SignIn
from tests.admin.pages import address, page
from tests.factories import OPERATOR, order, order_of, staff

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.mark.parametrize("role", ["viewer", "fulfilment", "manager", "auditor"])
def test_post_to_the_page_changes_nothing(sign_in: SignIn, role: str) -> None:
    placed = order_of(p10=2)
    fields = {"status": "COMPLETED", "stock_state": "review", "full_name": "Eve", "_save": "Save"}

    response = sign_in(role).post(page(placed), fields)

    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    placed.refresh_from_db()
    assert (placed.status, placed.stock_state, placed.version) == ("PENDING", "clear", 1)
    assert placed.full_name == "John Doe"


def test_page_has_no_field_for_the_status(sign_in: SignIn) -> None:
    body = sign_in("manager").get(page(order_of(p10=2))).content.decode()
    assert 'name="status"' not in body
    assert 'name="_save"' not in body


def test_page_shows_lines_with_subtotals(sign_in: SignIn) -> None:
    placed = order_of("50.00", p10=2)
    response = sign_in("viewer").get(page(placed))
    [line] = response.context["lines"]
    assert (line.product_id, line.quantity, line.unit_price, line.subtotal) == (
        "10",
        2,
        "50.00 USD",
        "100.00 USD",
    )
    assert "100.00 USD" in response.content.decode()


def test_timeline_names_people_doors_and_short_products(sign_in: SignIn, sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 1})
    placed = order_of(p10=2)
    ann = staff("manager", username="ann")
    with pytest.raises(InsufficientStock):
        lifecycle.confirm(placed.pk, actor=Actor(via=Door.COMMAND, user=ann))
    lifecycle.cancel(placed.pk, actor=OPERATOR, note="sold out")

    timeline = sign_in("viewer").get(page(placed)).context["timeline"]

    assert [(each.what, each.who, each.door, each.change, each.why) for each in timeline] == [
        ("Cancelled", "system", "by a command", "PENDING → CANCELLED", ""),
        ("Not confirmed", "ann", "by a command", "", "2 × 10 short, 1 in stock"),
        ("Confirmation asked for", "ann", "by a command", "", ""),
    ]


def test_timeline_of_a_failure_without_products_says_why(sign_in: SignIn, sandbox: Sandbox) -> None:
    placed = order_of(p10=2)
    data = {"reason": "inventory_unavailable", "items": []}
    placed.events.create(kind="confirmation_failed", actor="user:999", via="api", data=data)
    [event] = sign_in("viewer").get(page(placed)).context["timeline"]
    assert (event.who, event.why) == ("user:999", "the inventory service could not be asked")


@pytest.mark.parametrize(
    ("applied", "why"), [(True, "it was applied"), (False, "it was not applied")]
)
def test_timeline_tells_what_a_review_decided(sign_in: SignIn, applied: bool, why: str) -> None:
    placed = order()
    data = {"movement": "0", "applied": applied}
    placed.events.create(kind="review_resolved", actor="system", via="admin", data=data)
    [event] = sign_in("viewer").get(page(placed)).context["timeline"]
    assert (event.what, event.why) == ("Review decided", why)


def test_movements_show_their_evidence(sign_in: SignIn, sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    placed = order_of(p10=2)
    lifecycle.confirm(placed.pk, actor=OPERATOR)
    lifecycle.cancel(placed.pk, actor=OPERATOR)

    response = sign_in("auditor").get(page(placed))

    [attempt] = response.context["attempts"]
    assert [
        (each.movement.delta, each.movement.before_quantity, each.movement.after_quantity)
        for each in attempt.movements
    ] == [(-2, 45, 43), (2, 43, 45)]
    assert {each.evidence for each in attempt.movements} == {"known from the call's answer"}
    body = response.content.decode()
    assert "45 → 43" in body
    assert "applied, HTTP 200" in body


def test_movements_are_hidden_from_the_viewer(sign_in: SignIn) -> None:
    response = sign_in("viewer").get(page(order_of(p10=2)))
    assert response.context["attempts"] is None
    assert "Stock movements" not in response.content.decode()


def test_note_by_fulfilment_is_kept_with_its_author(sign_in: SignIn) -> None:
    placed = order_of(p10=2)
    client = sign_in("fulfilment")
    response = client.post(address(placed, "note"), {"text": " Called <b>twice</b> "})
    assert response["Location"] == page(placed)
    note = OrderNote.objects.get()
    assert (note.order_id, note.author and note.author.username, note.text) == (
        placed.pk,
        "fulfilment",
        "Called <b>twice</b>",
    )
    assert "Called &lt;b&gt;twice&lt;/b&gt;" in client.get(page(placed)).content.decode()


@pytest.mark.parametrize("text", ["", "  ", "x" * 2001, "nul\x00"])
def test_note_that_is_no_note_is_refused_and_comes_back(sign_in: SignIn, text: str) -> None:
    response = sign_in("manager").post(address(order(), "note"), {"text": text})
    assert response.status_code == 422
    form = response.context["note_form"]
    assert (form["text"].value(), bool(form.errors)) == (text, True)
    assert not OrderNote.objects.exists()


def test_get_of_the_note_s_address_is_405(sign_in: SignIn) -> None:
    response = sign_in("manager").get(address(order(), "note"))
    assert (response.status_code, response["Allow"]) == (405, "POST")


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_note_without_the_permission_is_forbidden(sign_in: SignIn, role: str) -> None:
    placed = order()
    client = sign_in(role)
    assert client.post(address(placed, "note"), {"text": "hello"}).status_code == 403
    assert 'name="text"' not in client.get(page(placed)).content.decode()
    assert not OrderNote.objects.exists()
