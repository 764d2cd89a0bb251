"""Confirm, complete and cancel: by button and by list action, by every role, told in a message."""

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Order, OrderEvent
from tests.admin.conftest import SignIn
from tests.admin.pages import LIST, act, address, page, press, told
from tests.factories import OPERATOR, order, order_of, staff, stock, user

pytestmark = pytest.mark.usefixtures("committed_db")

MAY = {
    "viewer": set[str](),
    "auditor": set[str](),
    "fulfilment": {"confirm", "complete"},
    "manager": {"confirm", "complete", "cancel"},
}
REACHED = {"confirm": "CONFIRMED", "complete": "COMPLETED", "cancel": "CANCELLED"}
MATRIX = [(role, verb) for role in MAY for verb in REACHED]


def ready_for(verb: str, sandbox: Sandbox) -> Order:
    """Return an order that the verb is legal for."""
    sandbox.store.set_stock({"10": 45})
    placed = order_of(p10=2)
    if verb == "complete":
        lifecycle.confirm(placed.pk, actor=OPERATOR)
    return placed


@pytest.mark.parametrize(("role", "verb"), MATRIX)
def test_button_is_shown_and_works_for_exactly_those_who_may(
    sign_in: SignIn, sandbox: Sandbox, role: str, verb: str
) -> None:
    placed = ready_for(verb, sandbox)
    before = Order.objects.get(pk=placed.pk).status
    client = sign_in(role)

    shown = address(placed, verb) in client.get(page(placed)).content.decode()
    response = press(client, placed, verb)

    placed.refresh_from_db()
    if verb in MAY[role]:
        assert (shown, response.status_code, placed.status) == (True, 302, REACHED[verb])
        assert response["Location"] == page(placed)
        assert told(response) == [("success", f"#{placed.pk} {REACHED[verb].lower()}")]
        event = OrderEvent.objects.filter(order=placed).latest("pk")
        assert (event.via, event.actor.startswith("user:")) == ("admin", True)
    else:
        assert (shown, response.status_code, placed.status) == (False, 403, before)


@pytest.mark.parametrize(("role", "verb"), MATRIX)
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


@pytest.mark.parametrize("verb", [*REACHED, "note"])
def test_get_of_a_button_is_405(sign_in: SignIn, verb: str) -> None:
    placed = order_of(p10=2)
    response = sign_in("manager").get(address(placed, verb))
    assert (response.status_code, response["Allow"]) == (405, "POST")


@pytest.mark.parametrize("verb", [*REACHED, "note"])
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
    monkeypatch.setattr(lifecycle, "confirm", lambda number, **_: Order.objects.get(pk=number))
    assert told(press(sign_in("fulfilment"), placed, "confirm")) == [
        ("warning", f"#{placed.pk}: settling — finishes by itself")
    ]


def test_confirm_that_needs_a_person_says_so(
    sign_in: SignIn, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = order(stock_state="review")
    monkeypatch.setattr(lifecycle, "confirm", lambda number, **_: Order.objects.get(pk=number))
    assert told(act(sign_in("fulfilment"), "confirm", placed)) == [
        ("warning", f"#{placed.pk}: stock needs review — a person must look")
    ]


def test_the_slower_of_two_staff_is_told(sign_in: SignIn, sandbox: Sandbox) -> None:
    placed = ready_for("confirm", sandbox)
    seen = placed.version
    lifecycle.confirm(placed.pk, actor=OPERATOR)

    response = press(sign_in("manager"), placed, "cancel", expected_version=seen)

    assert told(response) == [("error", f"#{placed.pk}: the order has changed since you read it")]
    assert Order.objects.get(pk=placed.pk).status == "CONFIRMED"


@pytest.mark.parametrize("version", ["", "x", "-1"])
def test_a_button_without_the_version_does_nothing(
    sign_in: SignIn, sandbox: Sandbox, version: str
) -> None:
    placed = ready_for("confirm", sandbox)
    response = press(sign_in("manager"), placed, "confirm", expected_version=version)
    [(level, text)] = told(response)
    assert (level, text.startswith("Nothing was done: ")) == ("error", True)
    assert Order.objects.get(pk=placed.pk).status == "PENDING"


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


def test_cancel_keeps_the_reason(sign_in: SignIn, sandbox: Sandbox) -> None:
    placed = order_of(p10=2)
    press(sign_in("manager"), placed, "cancel", reason=" Ordered twice ")
    assert [note.text for note in placed.notes.all()] == ["Ordered twice"]


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
    real = lifecycle.cancel

    def cancel(number: int, **options: Any) -> Order:
        if number == locked.pk:
            raise OperationalError("canceling statement due to lock timeout")
        return real(number, **options)

    monkeypatch.setattr(lifecycle, "cancel", cancel)
    assert told(act(sign_in("manager"), "cancel", locked, free)) == [
        ("error", f"#{locked.pk}: the database is busy — look again"),
        ("success", f"#{free.pk} cancelled"),
    ]


def test_list_action_on_too_many_orders_does_nothing(sign_in: SignIn) -> None:
    Order.objects.bulk_create(
        Order(full_name="A", email="a@example.com", currency="USD", total=0) for _ in range(101)
    )
    selected = list(Order.objects.all())
    assert told(act(sign_in("manager"), "cancel", *selected)) == [
        ("error", "More than 100 orders are selected, which is the most at once; nothing done.")
    ]
    assert not Order.objects.exclude(status="PENDING").exists()


def test_verb_on_an_unknown_order_is_404(sign_in: SignIn) -> None:
    assert sign_in("manager").post("/admin/orders/order/1/confirm/").status_code == 404
