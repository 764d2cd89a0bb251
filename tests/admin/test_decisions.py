"""Deciding a review: what becomes of it, who may, and who was too late."""

from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.db import OperationalError
from django.test import Client

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Order, OrderNote, StockMovement
from tests.admin.conftest import SignIn
from tests.admin.desk import DESK, decide, decided_at, in_review, shown, work
from tests.admin.pages import told
from tests.factories import OPERATOR, order_of, staff, stock, user

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.mark.parametrize(("applied", "left"), [("yes", 50), ("no", 48)])
def test_decision_is_carried_out_and_kept(
    sign_in: SignIn, sandbox: Sandbox, applied: str, left: int
) -> None:
    order, movement = in_review(sandbox)
    client = sign_in("manager")
    word = {"yes": "applied", "no": "not applied"}[applied]

    response = decide(client, movement, applied=applied, note=" Asked Ann ")

    text = f"−2 × 10 of #{order.pk}: {word}. The order goes on by itself."
    assert (response.status_code, response["Location"]) == (302, DESK)
    assert told(response) == [("success", text)]
    work()
    order.refresh_from_db()
    assert (order.status, order.stock_state) == ("CONFIRMED", "clear")
    assert stock(sandbox) == {"10": left}
    note = OrderNote.objects.get()
    assert (note.text, note.author and note.author.username) == ("Asked Ann", "manager")
    event = order.events.get(kind="review_resolved")
    assert (event.via, event.data["applied"]) == ("admin", applied == "yes")
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.get_change_message()) == (str(movement.pk), text)
    body = client.get(shown(movement)).content.decode()
    assert f"manager decided that it was {word}, " in body
    assert "There is nothing to decide any more." in body
    assert decided_at(movement) not in body


@pytest.mark.parametrize("note", ["", "  \n"])
def test_decision_without_a_note_shows_the_form_again(
    sign_in: SignIn, sandbox: Sandbox, note: str
) -> None:
    _, movement = in_review(sandbox)
    response = decide(sign_in("manager"), movement, note=note)
    assert response.status_code == 422
    assert "Say how you know: a decision without a reason is a guess." in response.content.decode()
    movement.refresh_from_db()
    assert (movement.state, OrderNote.objects.count()) == ("review", 0)


@pytest.mark.parametrize("wrong", [{"applied": "maybe"}, {"applied": ""}, {"fence": "x"}])
def test_decision_that_is_none_changes_nothing_and_keeps_the_note(
    sign_in: SignIn, sandbox: Sandbox, wrong: dict[str, object]
) -> None:
    _, movement = in_review(sandbox)
    response = decide(sign_in("manager"), movement, **wrong)
    assert response.status_code == 422
    assert "found in its log</textarea>" in response.content.decode()
    movement.refresh_from_db()
    assert movement.state == "review"


def test_second_to_decide_is_told_who_was_faster(sign_in: SignIn, sandbox: Sandbox) -> None:
    _, movement = in_review(sandbox)
    decide(sign_in("manager"), movement)
    other = Client()
    other.force_login(staff("manager", username="other"))

    response = decide(other, movement, applied="no")

    assert response["Location"] == shown(movement)
    assert told(response) == [
        ("error", "Nothing was done: manager decided that it was applied, before you.")
    ]
    assert OrderNote.objects.count() == LogEntry.objects.count() == 1


def test_old_page_does_not_decide_a_later_review(sign_in: SignIn, sandbox: Sandbox) -> None:
    _, movement = in_review(sandbox)
    client = sign_in("manager")
    decide(client, movement, applied="no")
    StockMovement.objects.update(state="review")

    response = decide(client, movement)

    assert told(response)[-1] == (
        "error",
        "Nothing was done: manager decided that it was not applied, before you.",
    )
    assert StockMovement.objects.get().state == "review"


def test_movement_that_never_was_in_review_can_not_be_decided(
    sign_in: SignIn, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 45})
    lifecycle.confirm(order_of(p10=2).pk, actor=OPERATOR)
    response = decide(sign_in("manager"), StockMovement.objects.get())
    assert told(response) == [("error", "Nothing was done: it waits for no decision any more.")]


def test_decision_on_a_locked_order_says_that_nothing_was_done(
    sign_in: SignIn, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, movement = in_review(sandbox)

    def resolve(*_: object, **__: object) -> Order:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(lifecycle, "resolve", resolve)
    response = decide(sign_in("manager"), movement)
    assert told(response) == [("error", "The database is busy; nothing was done. Try again.")]


def test_get_of_the_decision_and_post_to_the_page_are_405(
    sign_in: SignIn, sandbox: Sandbox
) -> None:
    _, movement = in_review(sandbox)
    client = sign_in("manager")
    response = client.get(decided_at(movement))
    assert (response.status_code, response["Allow"]) == (405, "POST")
    response = client.post(shown(movement), {"applied": "yes", "note": "x"})
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")


def test_decision_without_a_csrf_token_is_refused(sandbox: Sandbox) -> None:
    _, movement = in_review(sandbox)
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff("manager"))
    assert decide(client, movement).status_code == 403
    assert not OrderNote.objects.exists()


@pytest.mark.parametrize("is_customer", [False, True])
def test_decision_by_an_outsider_leads_to_signing_in_and_then_to_the_page(
    sandbox: Sandbox, is_customer: bool
) -> None:
    _, movement = in_review(sandbox)
    client = Client()
    if is_customer:
        client.force_login(user())
    assert decide(client, movement)["Location"] == f"/admin/login/?next={shown(movement)}"
    assert client.get(shown(movement)).status_code == 302
    assert not OrderNote.objects.exists()


def test_decision_on_no_movement_is_404(sign_in: SignIn) -> None:
    assert sign_in("manager").post(f"{DESK}{uuid4()}/decide/").status_code == 404
