"""The verbs' dialogs: what they say, what they ask for, and what the slower of two is told."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.actor import Actor
from orders.models import Confirmation, Order, OrderEvent, User
from orders.status import CancelReason, Door, HoldReason
from tests.admin.conftest import SignIn
from tests.admin.desk import in_review, shown
from tests.admin.pages import address, page, press, told
from tests.factories import OPERATOR, order, order_of, staff, stock

pytestmark = pytest.mark.usefixtures("committed_db")


def confirmed(sandbox: Sandbox, **quantities: int) -> Order:
    """Return a CONFIRMED order."""
    sandbox.store.set_stock({name.removeprefix("p"): 45 for name in quantities})
    placed = order_of("50.00", **quantities)
    return lifecycle.confirm(placed.pk, actor=OPERATOR)


def dialog(client: Client, placed: Order, verb: str) -> Any:
    """Return the dialog that a verb's page shows."""
    return client.get(address(placed, verb)).context["dialog"]


def buttons(client: Client, placed: Order) -> list[tuple[str, bool]]:
    """Return what the order page offers, and whether it is the main action."""
    choices = client.get(page(placed)).context["choices"]
    return [(choice.text, choice.is_main) for choice in choices]


# --- what is offered -----------------------------------------------------------------------------


def test_pending_order_offers_confirm_first(sign_in: SignIn) -> None:
    placed = order_of(p10=2)
    assert buttons(sign_in("manager"), placed) == [
        ("Confirm", True),
        ("Correct", False),
        ("Hold", False),
        ("Cancel", False),
    ]
    assert buttons(sign_in("fulfilment"), placed) == [("Confirm", True), ("Hold", False)]
    assert buttons(sign_in("viewer"), placed) == []


def test_order_on_hold_offers_release_first_and_no_confirm(sign_in: SignIn) -> None:
    placed = order(hold_reason="fraud", held_since="2026-01-01T10:00Z")
    assert buttons(sign_in("fulfilment"), placed) == [("Release", True), ("Hold", False)]


def test_confirmed_order_offers_complete_first(sign_in: SignIn, sandbox: Sandbox) -> None:
    placed = confirmed(sandbox, p10=2)
    assert buttons(sign_in("manager"), placed) == [("Complete", True), ("Cancel", False)]


def test_order_in_review_leads_those_who_may_to_the_review(
    sign_in: SignIn, sandbox: Sandbox
) -> None:
    placed, movement = in_review(sandbox)
    choices = sign_in("manager").get(page(placed)).context["choices"]
    assert [(each.text, each.is_main) for each in choices] == [
        ("Decide the review", True),
        ("Cancel", False),
    ]
    assert choices[0].url == shown(movement)
    assert buttons(sign_in("fulfilment"), placed) == []


@pytest.mark.parametrize("status", ["COMPLETED", "CANCELLED"])
def test_finished_order_offers_nothing(sign_in: SignIn, status: str) -> None:
    assert buttons(sign_in("manager"), order(status=status)) == []


def test_confirm_dialog_adds_up_the_lines_of_a_product(sign_in: SignIn) -> None:
    placed = order_of(p10=2, p9=1)
    placed.items.create(product_id="10", quantity=3, unit_price=1)
    says = dialog(sign_in("fulfilment"), placed, "confirm").consequences
    assert says[0] == "Takes 5 × 10 and 1 × 9 from stock."


def test_confirm_dialog_of_many_products_names_the_first(sign_in: SignIn) -> None:
    placed = order_of("50.00", **{f"A{each}": 1 for each in range(10)})
    says = dialog(sign_in("fulfilment"), placed, "confirm").consequences
    named = ", ".join(f"1 × A{each}" for each in range(8))
    assert says[0] == f"Takes {named} and 2 more products from stock."


def test_complete_dialog_says_that_it_is_final(sign_in: SignIn, sandbox: Sandbox) -> None:
    says = dialog(sign_in("fulfilment"), confirmed(sandbox, p10=2), "complete").consequences
    assert says[0] == "Final: the goods have left."


def test_cancel_dialog_says_what_a_confirmed_order_gives_back(
    sign_in: SignIn, sandbox: Sandbox
) -> None:
    placed = confirmed(sandbox, p10=2, p9=1)
    says = dialog(sign_in("manager"), placed, "cancel").consequences
    assert says[0] == "Gives 2 × 10 and 1 × 9 back to stock."


def test_cancel_dialog_promises_no_stock_that_the_ledger_does_not_know(sign_in: SignIn) -> None:
    placed = order_of(p10=2)
    Order.objects.filter(pk=placed.pk).update(status="CONFIRMED")
    says = dialog(sign_in("manager"), placed, "cancel").consequences
    assert says[0] == "Gives nothing back: by the ledger, nothing was taken for it."


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("clear", "Nothing was taken from stock, so nothing is given back."),
        (
            "settling",
            "Stops the confirmation that is under way; what it has taken is given back.",
        ),
    ],
)
def test_cancel_dialog_of_a_pending_order(sign_in: SignIn, state: str, said: str) -> None:
    placed = order(stock_state=state)
    assert dialog(sign_in("manager"), placed, "cancel").consequences[0] == said


def test_dialog_of_what_can_t_be_done_has_no_button(sign_in: SignIn) -> None:
    placed = order(status="COMPLETED")
    response = sign_in("manager").get(address(placed, "cancel"))
    opened = response.context["dialog"]
    assert (opened.possible, opened.consequences) == (
        False,
        ["That can't be done any more: the order is COMPLETED."],
    )
    assert "Cancel the order</button>" not in response.content.decode()


def test_hold_dialog_of_an_order_on_hold_offers_the_other_reasons(sign_in: SignIn) -> None:
    placed = order(hold_reason="fraud", held_since="2026-01-01T10:00Z")
    opened = dialog(sign_in("fulfilment"), placed, "hold")
    assert opened.consequences == [
        "It is on hold already: suspected fraud. The new reason takes its place."
    ]
    offered = [value for value, _ in opened.form.fields["reason"].choices]
    assert offered == ["", "payment", "address", "customer", "stock", "other"]


def test_look_at_a_dialog_changes_nothing(sign_in: SignIn) -> None:
    placed = order_of(p10=2)
    client = sign_in("manager")
    for verb in ("confirm", "hold", "cancel", "amend", "stock"):
        assert client.head(address(placed, verb)).status_code == 200
        assert client.get(address(placed, verb)).status_code == 200
    placed.refresh_from_db()
    assert (placed.version, Confirmation.objects.count()) == (1, 0)


@pytest.mark.parametrize("verb", ["confirm", "complete", "cancel", "hold", "release", "amend"])
@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_dialog_answers_to_no_other_method(sign_in: SignIn, verb: str, method: str) -> None:
    answer = getattr(sign_in("manager"), method)(address(order(), verb))
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, POST")


@pytest.mark.parametrize("verb", ["confirm", "cancel", "hold", "amend", "stock"])
def test_dialog_for_an_outsider_leads_to_signing_in(verb: str) -> None:
    placed = order()
    response = Client().get(address(placed, verb))
    assert response["Location"] == f"/admin/login/?next={page(placed)}"


def test_dialog_of_an_unknown_order_is_404(sign_in: SignIn) -> None:
    assert sign_in("manager").get("/admin/orders/order/1/confirm/").status_code == 404


# --- what a dialog asks for ----------------------------------------------------------------------


def test_cancel_keeps_the_reason_and_the_note(sign_in: SignIn) -> None:
    placed = order_of(p10=2)
    client = sign_in("manager")
    press(client, placed, "cancel", reason="duplicate", note=" see #7 ")
    assert [note.text for note in placed.notes.all()] == ["see #7"]
    [event] = client.get(page(placed)).context["timeline"]
    assert (event.what, event.why) == ("Cancelled", "ordered twice")


def test_hold_shows_reason_since_when_and_by_whom(sign_in: SignIn) -> None:
    placed = order_of(p10=2)
    client = sign_in("fulfilment")
    press(client, placed, "hold", reason="address", note="rang, nobody there")
    placed.refresh_from_db()

    response = client.get(page(placed))

    hold = response.context["hold"]
    assert (hold.reason, hold.since, hold.who) == (
        "a question about the address",
        placed.held_since,
        "fulfilment",
    )
    assert "by fulfilment" in response.content.decode()
    assert [note.text for note in placed.notes.all()] == ["rang, nobody there"]


def test_hold_blocks_confirm_with_its_reason_in_words(sign_in: SignIn, sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    placed = order_of(p10=2)
    lifecycle.hold(placed.pk, actor=OPERATOR, reason=HoldReason.PAYMENT)
    assert told(press(sign_in("fulfilment"), placed, "confirm")) == [
        (
            "error",
            f"#{placed.pk}: it is on hold until somebody releases it"
            " — a question about the payment",
        )
    ]
    assert stock(sandbox) == {"10": 45}


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        ("cancel", {"reason": ""}),
        ("cancel", {"reason": "whim"}),
        ("hold", {"reason": "duplicate"}),
        ("hold", {"note": "x" * 2001}),
        ("confirm", {"expected_version": ""}),
        ("confirm", {"expected_version": "x"}),
        ("confirm", {"expected_version": "-1"}),
        ("confirm", {"expected_version": "9" * 5000}),
    ],
)
def test_dialog_with_a_fault_does_nothing_and_keeps_what_was_typed(
    sign_in: SignIn, verb: str, fields: dict[str, str]
) -> None:
    placed = order_of(p10=2)
    response = press(sign_in("manager"), placed, verb, **({"note": "careful"} | fields))
    form = response.context["dialog"].form
    assert response.status_code == 422
    assert set(form.errors) == set(fields)
    if "note" in form.fields:
        assert form["note"].value() == fields.get("note", "careful")
    placed.refresh_from_db()
    assert (placed.version, placed.notes.count()) == (1, 0)


# --- two staff on one page -----------------------------------------------------------------------


def test_the_slower_is_told_who_was_faster_and_what_changed(sign_in: SignIn) -> None:
    placed = order_of(p10=2)
    ann = Actor(via=Door.ADMIN, user=staff("manager", username="ann"))
    lifecycle.hold(placed.pk, actor=ann, reason=HoldReason.FRAUD)
    client = sign_in("manager")

    response = press(
        client, placed, "cancel", expected_version=1, reason="customer", note="rang <b>twice</b>"
    )

    assert response.status_code == 409
    [change] = response.context["changes"]
    assert (change.who, change.what, change.why) == ("ann", "Put on hold", "suspected fraud")
    body = response.content.decode()
    assert "the order has changed since you opened it" in body
    assert "rang &lt;b&gt;twice&lt;/b&gt;" in body
    assert Order.objects.get(pk=placed.pk).status == "PENDING"
    assert not placed.notes.exists()
    form = response.context["dialog"].form
    again = client.post(
        address(placed, "cancel"), {name: form[name].value() for name in form.fields}
    )
    assert told(again) == [("success", f"#{placed.pk} cancelled")]
    assert [note.text for note in placed.notes.all()] == ["rang <b>twice</b>"]


def test_the_slower_with_the_same_wish_is_told_and_keeps_the_note(sign_in: SignIn) -> None:
    placed = order_of(p10=2)
    ann = Actor(via=Door.ADMIN, user=staff("manager", username="ann"))
    lifecycle.cancel(placed.pk, actor=ann, reason=CancelReason.DUPLICATE)

    response = press(sign_in("manager"), placed, "cancel", expected_version=1, note="sold out")

    assert response.status_code == 409
    assert [(each.who, each.why) for each in response.context["changes"]] == [
        ("ann", "ordered twice")
    ]
    opened = response.context["dialog"]
    assert (opened.possible, opened.form["note"].value()) == (False, "sold out")
    assert "sold out" in response.content.decode()


@pytest.mark.parametrize("verb", ["confirm", "hold", "cancel"])
def test_press_twice_is_one_press(sign_in: SignIn, sandbox: Sandbox, verb: str) -> None:
    sandbox.store.set_stock({"10": 45})
    placed = order_of(p10=2)
    client = sign_in("manager")
    first = press(client, placed, verb)
    events = OrderEvent.objects.count()

    second = press(client, placed, verb, expected_version=1)

    assert second.status_code == 302
    assert told(second)[-1] == told(first)[-1]
    assert OrderEvent.objects.count() == events


def test_the_slower_who_may_not_see_events_learns_no_more(sign_in: SignIn) -> None:
    placed = order_of(p10=2)
    client = sign_in("viewer")
    member = client.session["_auth_user_id"]
    lifecycle.hold(placed.pk, actor=OPERATOR, reason=HoldReason.FRAUD)
    give(member, "view_order", "hold_order")

    response = press(client, placed, "hold", expected_version=1)

    assert (response.status_code, response.context["changes"]) == (409, None)
    assert "Put on hold (" not in response.content.decode()


def give(member: str, *codenames: str) -> None:
    """Make a member of staff hold exactly these permissions."""
    found = User.objects.get(pk=member)
    found.groups.clear()
    found.user_permissions.set(Permission.objects.filter(codename__in=codenames))
