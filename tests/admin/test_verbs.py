"""The verbs: by dialog and by list action, by every role, told in a message."""

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Order, OrderEvent
from orders.status import HoldReason, Verb
from tests.admin.conftest import SignIn
from tests.admin.pages import LIST, act, address, page, press, told
from tests.factories import OPERATOR, order, order_of, staff, stock, user

pytestmark = pytest.mark.usefixtures("committed_db")

MAY = {
    "viewer": set[str](),
    "auditor": set[str](),
    "fulfilment": {"confirm", "complete", "hold", "release"},
    "manager": {"confirm", "complete", "cancel", "hold", "release"},
}
REACHED = {"confirm": "CONFIRMED", "complete": "COMPLETED", "cancel": "CANCELLED"}
HELD = {"hold": "payment", "release": ""}
SAID = {verb: status.lower() for verb, status in REACHED.items()} | {
    "hold": "put on hold",
    "release": "released",
}


def ready_for(verb: str, sandbox: Sandbox) -> Order:
    """Return an order that the verb is legal for."""
    sandbox.store.set_stock({"10": 45})
    placed = order_of(p10=2)
    if verb == "complete":
        lifecycle.confirm(placed.pk, actor=OPERATOR)
    if verb == "release":
        lifecycle.hold(placed.pk, actor=OPERATOR, reason=HoldReason.FRAUD)
    return placed


def state(order: Order) -> str:
    """Return the order's status, or why it is on hold."""
    order.refresh_from_db()
    return order.hold_reason or order.status


@pytest.mark.parametrize("role", MAY)
@pytest.mark.parametrize("verb", SAID)
def test_button_is_shown_and_works_for_exactly_those_who_may(
    sign_in: SignIn, sandbox: Sandbox, role: str, verb: str
) -> None:
    placed = ready_for(verb, sandbox)
    before = state(placed)
    client = sign_in(role)

    shown = address(placed, verb) in client.get(page(placed)).content.decode()
    asked = client.get(address(placed, verb))
    response = press(client, placed, verb)

    if verb in MAY[role]:
        assert (shown, asked.status_code, response.status_code) == (True, 200, 302)
        assert state(placed) == (REACHED.get(verb) or HELD[verb] or "PENDING")
        assert response["Location"] == page(placed)
        assert told(response) == [("success", f"#{placed.pk} {SAID[verb]}")]
        event = OrderEvent.objects.filter(order=placed).latest("pk")
        assert (event.via, event.actor.startswith("user:")) == ("admin", True)
    else:
        assert (shown, asked.status_code, response.status_code) == (False, 403, 403)
        assert state(placed) == before


@pytest.mark.parametrize("role", MAY)
@pytest.mark.parametrize("verb", ["confirm", "complete"])  # `test_bulk` has those that ask
def test_list_action_is_offered_and_works_for_exactly_those_who_may(
    sign_in: SignIn, sandbox: Sandbox, role: str, verb: str
) -> None:
    placed = ready_for(verb, sandbox)
    before = Order.objects.get(pk=placed.pk).status
    client = sign_in(role)

    offered = f'<option value="{verb}"' in client.get(LIST).content.decode()
    response = act(client, verb, placed)

    placed.refresh_from_db()
    if verb in MAY[role]:
        assert (offered, response.status_code, placed.status) == (True, 302, REACHED[verb])
        assert told(response) == [("success", f"#{placed.pk} {REACHED[verb].lower()}")]
    else:
        assert (offered, response.status_code, placed.status) == (False, 403, before)


@pytest.mark.parametrize("verb", [*SAID, "note", "amend"])
def test_post_without_a_csrf_token_is_refused(sandbox: Sandbox, verb: str) -> None:
    placed = ready_for(verb, sandbox)
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff("manager"))
    version = Order.objects.get(pk=placed.pk).version

    assert press(client, placed, verb, text="hello").status_code == 403
    assert act(client, verb, placed).status_code == 403

    assert Order.objects.get(pk=placed.pk).version == version
    assert not placed.notes.exists()


@pytest.mark.parametrize("is_customer", [False, True])
def test_post_by_an_outsider_leads_to_signing_in_and_then_to_the_order(is_customer: bool) -> None:
    placed = order_of(p10=2)
    client = Client()
    if is_customer:
        client.force_login(user())
    response = press(client, placed, "confirm")
    assert response.status_code == 302
    assert response["Location"] == f"/admin/login/?next={page(placed)}"
    assert Order.objects.get(pk=placed.pk).status == "PENDING"


def test_confirm_of_a_short_order_names_each_product(sign_in: SignIn, sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 1, "9": 0})
    placed = order_of(p10=2, p9=1)
    assert told(press(sign_in("fulfilment"), placed, "confirm")) == [
        ("error", f"#{placed.pk}: 2 × 10 short, 1 in stock; 1 × 9 short, 0 in stock")
    ]
    assert stock(sandbox) == {"10": 1, "9": 0}


def test_confirm_with_inventory_down_says_that_nothing_changed(
    sign_in: SignIn, sandbox: Sandbox
) -> None:
    sandbox.switches.update({"down": "503"})
    placed = order_of(p10=2)
    assert told(press(sign_in("fulfilment"), placed, "confirm")) == [
        (
            "error",
            f"#{placed.pk}: the inventory service can't be asked right now; nothing was changed",
        )
    ]


def test_confirm_that_must_wait_says_that_it_finishes_by_itself(
    sign_in: SignIn, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = order(stock_state="settling")
    monkeypatch.setattr(lifecycle, "do", lambda _, number, **__: Order.objects.get(pk=number))
    assert told(press(sign_in("fulfilment"), placed, "confirm")) == [
        ("warning", f"#{placed.pk}: settling — finishes by itself")
    ]


def test_confirm_that_needs_a_person_says_so(
    sign_in: SignIn, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = order(stock_state="review")
    monkeypatch.setattr(lifecycle, "do", lambda _, number, **__: Order.objects.get(pk=number))
    assert told(act(sign_in("fulfilment"), "confirm", placed)) == [
        ("warning", f"#{placed.pk}: stock needs review — a person must look")
    ]


def test_illegal_move_is_told_and_not_offered(sign_in: SignIn) -> None:
    placed = order(status="COMPLETED")
    client = sign_in("manager")
    body = client.get(page(placed)).content.decode()
    assert not any(address(placed, verb) in body for verb in REACHED)
    assert told(press(client, placed, "cancel")) == [
        ("error", f"#{placed.pk}: an order that is COMPLETED can't become CANCELLED")
    ]


@pytest.mark.parametrize("state", ["settling", "review"])
def test_confirm_is_not_offered_while_stock_is_on_its_way(sign_in: SignIn, state: str) -> None:
    placed = order(stock_state=state)
    body = sign_in("manager").get(page(placed)).content.decode()
    assert address(placed, "confirm") not in body
    assert address(placed, "cancel") in body


def test_cancel_of_a_confirmed_order_gives_the_stock_back(
    sign_in: SignIn, sandbox: Sandbox
) -> None:
    placed = ready_for("complete", sandbox)
    assert told(press(sign_in("manager"), placed, "cancel")) == [
        ("success", f"#{placed.pk} cancelled")
    ]
    assert stock(sandbox) == {"10": 45}


def test_list_action_gives_the_oldest_order_its_stock_first(
    sign_in: SignIn, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 3})
    oldest, second, third = (order_of(p10=2) for _ in range(3))
    other = order_of(p10=1)

    response = act(sign_in("fulfilment"), "confirm", third, oldest, other, second)

    assert told(response) == [
        ("success", f"#{oldest.pk} confirmed"),
        ("error", f"#{second.pk}: 2 × 10 short, 1 in stock"),
        ("error", f"#{third.pk}: 2 × 10 short, 1 in stock"),
        ("success", f"#{other.pk} confirmed"),
    ]
    assert stock(sandbox) == {"10": 0}


def test_list_action_goes_on_after_an_order_that_is_locked_for_too_long(
    sign_in: SignIn, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked, free = order_of(p10=2), order_of(p10=2)
    sandbox.store.set_stock({"10": 45})
    real = lifecycle.do

    def do(verb: Verb, number: int, **options: Any) -> Order:
        if number == locked.pk:
            raise OperationalError("canceling statement due to lock timeout")
        return real(verb, number, **options)

    monkeypatch.setattr(lifecycle, "do", do)
    assert told(act(sign_in("manager"), "confirm", locked, free)) == [
        ("error", f"#{locked.pk}: the database is busy — look again"),
        ("success", f"#{free.pk} confirmed"),
    ]


def test_verb_on_an_unknown_order_is_404(sign_in: SignIn) -> None:
    assert sign_in("manager").post("/admin/orders/order/1/confirm/").status_code == 404
