"""The list's actions on many orders: who may, what is asked first, and what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.admin import bulk
from orders.models import Batch, Order
from orders.status import HoldReason
from tests.admin.conftest import SignIn
from tests.admin.desk import carry_out
from tests.admin.pages import LIST, act, told
from tests.factories import OPERATOR, order, order_of, staff, stock

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

pytestmark = pytest.mark.usefixtures("committed_db")

MAY = {
    "viewer": set[str](),
    "auditor": set[str](),
    "fulfilment": {"confirm", "complete", "hold", "release"},
    "manager": {"confirm", "complete", "cancel", "hold", "release"},
}


def ask_for_all(client: Client, verb: str, query: str = "", **fields: object) -> Response:
    """Choose an action for all that match."""
    return client.post(
        f"{LIST}?{query}",
        {"action": verb, "index": 0, "select_across": "1", "_selected_action": 0} | fields,
    )


def selection(response: Response) -> str:
    """Return the name of the selection that the page asks about."""
    name: str = response.context["selection"].name
    return name


@pytest.mark.parametrize("role", MAY)
@pytest.mark.parametrize("verb", ["confirm", "complete", "cancel", "hold", "release"])
def test_action_is_for_exactly_those_who_may(
    sign_in: SignIn, sandbox: Sandbox, role: str, verb: str
) -> None:
    client = sign_in(role)
    response = act(client, verb, order_of(p10=1))
    assert (response.status_code != 403) == (verb in MAY[role])
    offered = client.get(LIST).content.decode()
    assert (f'<option value="{verb}"' in offered) == (verb in MAY[role])
    assert not Batch.objects.exists()


def test_cancel_asks_for_a_reason_and_says_what_is_selected(
    sign_in: SignIn, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 45})
    pending, confirmed = order_of(p10=1), order_of(p10=2)
    lifecycle.confirm(confirmed.pk, actor=OPERATOR)
    client = sign_in("manager")

    asked = act(client, "cancel", pending, confirmed)

    assert (asked.status_code, asked.context["title"]) == (200, "Cancel 2 orders")
    body = asked.content.decode()
    assert f"1 pending, 1 confirmed: #{pending.pk}, #{confirmed.pk}." in body
    name = selection(asked)
    without = act(client, "cancel", pending, confirmed, selection=name)
    assert "This field is required." in without.content.decode()
    assert stock(sandbox) == {"10": 43}, "nothing is done before there is a reason"

    done = act(
        client, "cancel", pending, confirmed, selection=name, reason="duplicate", note="Twice"
    )

    assert told(done) == [
        ("success", f"#{pending.pk} cancelled"),
        ("success", f"#{confirmed.pk} cancelled"),
    ]
    assert stock(sandbox) == {"10": 45}
    assert [note.text for note in confirmed.notes.all()] == ["Twice"]
    assert pending.events.get().data == {"reason": "duplicate"}


def test_hold_of_many_is_a_batch_with_the_reason(sign_in: SignIn, sandbox: Sandbox) -> None:
    orders = [order_of(p10=1) for _ in range(6)]
    client = sign_in("fulfilment")
    name = selection(act(client, "hold", *orders))

    response = act(client, "hold", *orders, selection=name, reason="payment", note="Ask Jo")

    batch = Batch.objects.get()
    assert response["Location"] == f"/admin/orders/batch/{batch.pk}/change/"
    assert (batch.verb, batch.reason, batch.note) == ("hold", "payment", "Ask Jo")
    carry_out(batch)
    assert set(Order.objects.values_list("hold_reason", flat=True)) == {"payment"}
    body = client.get(response["Location"]).content.decode()
    assert "6 of 6 done" in body
    assert "a question about the payment" in body


def test_release_and_complete_of_a_few_are_done_at_once(sign_in: SignIn, sandbox: Sandbox) -> None:
    held, confirmed = order_of(p10=1), order(status="CONFIRMED")
    lifecycle.hold(held.pk, actor=OPERATOR, reason=HoldReason.OTHER)
    client = sign_in("fulfilment")

    assert told(act(client, "release", held)) == [("success", f"#{held.pk} released")]
    assert told(act(client, "complete", confirmed))[-1] == (
        "success",
        f"#{confirmed.pk} completed",
    )


def test_confirm_of_all_that_match_is_asked_first_and_takes_just_those(
    sign_in: SignIn, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 45})
    pending = [order_of(p10=1) for _ in range(7)]
    order(status="CANCELLED")
    client = sign_in("manager")
    query = "status__exact=PENDING"

    asked = ask_for_all(client, "confirm", query)

    assert asked.context["title"] == "Confirm 7 orders"
    late = order_of(p10=1)
    again = ask_for_all(client, "confirm", query, selection=selection(asked))
    assert again.context["title"] == "Confirm 8 orders"
    assert "Other orders match by now" in again.content.decode()
    assert not Batch.objects.exists()

    ask_for_all(client, "confirm", query, selection=selection(again))

    batch = Batch.objects.get()
    numbers = set(batch.entries.values_list("order_id", flat=True))
    assert numbers == {each.pk for each in [*pending, late]}


def test_action_on_more_than_a_batch_holds_does_nothing(
    sign_in: SignIn, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST", 7)
    for _ in range(8):
        order_of(p10=1)
    assert told(ask_for_all(sign_in("manager"), "cancel")) == [
        ("error", "More than 7 orders are selected, the most at once; nothing was done.")
    ]
    assert not Batch.objects.exists()


def test_action_without_a_csrf_token_is_refused(sandbox: Sandbox) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff("manager"))
    assert act(client, "cancel", order_of(p10=1)).status_code == 403
