"""Confirming more orders than a browser waits for: the list action, the progress, the batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.admin import progress
from orders.models import Batch, Confirmation
from tests.admin.conftest import SignIn
from tests.admin.desk import in_review, work
from tests.admin.pages import act, page, told
from tests.factories import OPERATOR, actor, order, order_of, staff, stock

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.usefixtures("committed_db")

BATCHES = "/admin/orders/batch/"


def shown(batch: Batch) -> str:
    return f"{BATCHES}{batch.pk}/change/"


def a_batch(*quantities: int) -> Batch:
    """Ask for so many pieces of product 10, an order each."""
    orders = [order_of(p10=quantity) for quantity in quantities]
    return lifecycle.confirm_many([each.pk for each in orders], actor=OPERATOR)


def counts(client: Client, batch: Batch) -> dict[str, int]:
    reached = client.get(shown(batch)).context["progress"]
    return {stage: n for stage, n in reached.by_stage() if n}


@pytest.mark.parametrize("role", ["fulfilment", "manager"])
def test_list_action_on_more_than_five_opens_a_batch(
    sign_in: SignIn, sandbox: Sandbox, role: str
) -> None:
    sandbox.store.set_stock({"10": 45})
    orders = [order_of(p10=1) for _ in range(6)]
    client = sign_in(role)

    response = act(client, "confirm", *orders)

    batch = Batch.objects.get()
    assert (response.status_code, response["Location"]) == (302, shown(batch))
    assert (batch.selected, batch.via) == (6, "admin")
    assert stock(sandbox) == {"10": 45}
    assert counts(client, batch) == {"waiting": 6}
    work()
    assert counts(client, batch) == {"confirmed": 6}
    assert stock(sandbox) == {"10": 39}


def test_list_action_on_five_answers_at_once(sign_in: SignIn, sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    orders = [order_of(p10=1) for _ in range(5)]
    assert told(act(sign_in("manager"), "confirm", *orders)) == [
        ("success", f"#{each.pk} confirmed") for each in orders
    ]
    assert not Batch.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_list_action_by_who_may_not_confirm_opens_nothing(sign_in: SignIn, role: str) -> None:
    assert act(sign_in(role), "confirm", *(order_of(p10=1) for _ in range(6))).status_code == 403
    assert not Batch.objects.exists()


def test_list_action_loads_no_order_to_open_a_batch(sign_in: SignIn) -> None:
    orders = [order_of(p10=1) for _ in range(6)]
    client = sign_in("manager")
    with CaptureQueriesContext(connection) as queries:
        act(client, "confirm", *orders)
    [numbers] = [each["sql"] for each in queries.captured_queries if "LIMIT 10001" in each["sql"]]
    assert "full_name" not in numbers


def test_list_action_on_a_locked_order_says_that_nothing_was_done(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_batch(*_: object, **__: object) -> Batch:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(lifecycle, "open_batch", open_batch)
    orders = [order_of(p10=1) for _ in range(6)]
    assert told(act(sign_in("manager"), "confirm", *orders)) == [
        ("error", "The database is busy; nothing was done. Try again.")
    ]


def test_page_counts_each_outcome_and_tells_each_failure_oldest_first(
    sign_in: SignIn, sandbox: Sandbox
) -> None:
    doubtful, _ = in_review(sandbox)
    sandbox.store.set_stock({"10": 3})
    empty = order()
    pending = [order_of(p10=2), order_of(p10=9), order_of(p10=1)]
    confirmed = order(status="CONFIRMED")
    held = order(hold_reason="fraud", held_since=timezone.now())
    numbers = [each.pk for each in (doubtful, empty, *pending, confirmed, held)]
    batch = lifecycle.confirm_many([*numbers, 999], actor=actor("manager"))
    lifecycle.cancel(pending[2].pk, actor=OPERATOR, hold=0)
    client = sign_in("fulfilment")
    assert client.get(shown(batch)).context["progress"].finished is False
    work()

    response = client.get(shown(batch))

    assert counts(client, batch) == {
        "confirmed": 2,  # one of them before
        "refused": 4,
        "review": 1,
    }
    assert [(each.number, each.why) for each in response.context["failures"]] == [
        (doubtful.pk, "a person must look what became of its stock"),
        (empty.pk, "The inventory service refused the change; nothing was kept"),
        (pending[1].pk, "9 × 10 short, 3 in stock"),
        (pending[2].pk, "An order that is CANCELLED can't become CONFIRMED"),
        (held.pk, "The order is on hold (fraud) until somebody releases it"),
    ]
    body = response.content.decode()
    assert "6 of 7 done" in body
    assert "1 of the numbers asked for are no order" in body
    assert "Try the 4 refused again" in body
    assert page(doubtful) in body


def test_page_of_a_batch_without_any_order_says_so(sign_in: SignIn, sandbox: Sandbox) -> None:
    batch = lifecycle.confirm_many([999], actor=OPERATOR)
    body = sign_in("manager").get(shown(batch)).content.decode()
    assert "0 of 0 done" in body
    assert "<progress" not in body


def test_retry_asks_again_for_the_refused_alone(sign_in: SignIn, sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 3})
    batch = a_batch(1, 9, 8)
    client = sign_in("fulfilment")
    work()
    assert counts(client, batch) == {"confirmed": 1, "refused": 2}
    sandbox.store.set_stock({"10": 10})
    assert "Try the 2 refused again" in client.get(shown(batch)).content.decode()

    response = client.post(f"{BATCHES}{batch.pk}/retry/")

    again = Batch.objects.latest("pk")
    assert (response.status_code, response["Location"]) == (302, shown(again))
    work()
    assert counts(client, again) == {"confirmed": 1, "refused": 1}
    assert counts(client, batch) == {"confirmed": 1, "refused": 2}, "history stays"


def test_retry_by_who_may_not_do_the_verb_is_refused(sign_in: SignIn, sandbox: Sandbox) -> None:
    batch = a_batch(1)
    work()
    for role in ("viewer", "auditor"):
        assert sign_in(role).post(f"{BATCHES}{batch.pk}/retry/").status_code == 403
    assert sign_in("manager").get(f"{BATCHES}{batch.pk}/retry/").status_code == 405
    assert Client().post(f"{BATCHES}{batch.pk}/retry/").status_code == 302
    assert Batch.objects.count() == 1


def test_page_refreshes_itself_until_all_is_done(sign_in: SignIn, sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    batch = a_batch(1, 2)
    client = sign_in("manager")
    body = client.get(shown(batch)).content.decode()
    assert f'hx-get="{shown(batch)}" hx-trigger="every 2s"' in body
    assert '<noscript><meta http-equiv="refresh"' in body
    part = client.get(shown(batch), headers={"HX-Request": "true"}).content.decode()
    assert "0 of 2 done" in part
    assert "<html" not in part
    work()
    for headers in ({}, {"HX-Request": "true"}):
        body = client.get(shown(batch), headers=headers).content.decode()
        assert "2 of 2 done" in body
        assert 'hx-trigger="every' not in body
        assert 'http-equiv="refresh"' not in body


def test_page_lists_no_more_failures_than_can_be_read(
    sign_in: SignIn, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "MOST_FAILURES", 2)
    sandbox.store.set_stock({"10": 0})
    batch = a_batch(1, 2, 3)
    work()
    response = sign_in("manager").get(shown(batch))
    numbers = list(batch.confirmations.order_by("order").values_list("order", flat=True))
    assert [each.number for each in response.context["failures"]] == numbers[:2]
    assert "The oldest 2; 1 more are not shown." in response.content.decode()


@pytest.mark.parametrize(
    ("role", "status"), [("viewer", 403), ("fulfilment", 200), ("manager", 200), ("auditor", 200)]
)
def test_batches_are_seen_by_who_sees_the_ledger(
    sign_in: SignIn, sandbox: Sandbox, role: str, status: int
) -> None:
    batch = a_batch(1)
    client = sign_in(role)
    assert client.get(BATCHES).status_code == status
    assert client.get(shown(batch)).status_code == status
    assert client.post(shown(batch)).status_code == 405


def test_list_of_batches_has_the_newest_first_with_its_progress(
    sign_in: SignIn, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 3})
    old = a_batch(1, 9)
    work()
    new = a_batch(1)
    rows = sign_in("auditor").get(BATCHES).context["cl"].result_list
    assert [(each.pk, str(each.progress), each.who) for each in rows] == [
        (new.pk, "0 of 1 done", "system"),
        (old.pk, "2 of 2 done", "system"),
    ]


@pytest.mark.parametrize("key", ["x", "999"])
def test_page_of_no_batch_is_404(sign_in: SignIn, key: str) -> None:
    assert sign_in("manager").get(f"{BATCHES}{key}/change/").status_code == 404


def test_batch_without_signing_in_leads_there(sandbox: Sandbox) -> None:
    assert Client().get(shown(a_batch(1))).status_code == 302


def test_list_action_for_many_without_a_csrf_token_is_refused(sandbox: Sandbox) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff("manager"))
    assert act(client, "confirm", *(order_of(p10=1) for _ in range(6))).status_code == 403
    assert not Batch.objects.exists()


def test_page_escapes_what_stands_in_the_ledger(sign_in: SignIn, sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 0})
    batch = a_batch(1)
    work()
    attack = "<script>alert(1)</script>"
    short = [{"product_id": attack, "requested": 1, "available": 0}]
    Confirmation.objects.update(shortages=short)
    Batch.objects.update(actor="<script>alert(2)")
    client = sign_in("manager")
    for path in (BATCHES, shown(batch)):
        assert b"<script>alert" not in client.get(path).content


def test_pages_cost_the_same_number_of_queries_for_any_number_of_orders(
    sign_in: SignIn, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 5})
    small, large = a_batch(9), a_batch(*[9] * 30)
    work()
    client = sign_in("manager")
    client.get(BATCHES)
    costs = []
    for batch in (small, large):
        with CaptureQueriesContext(connection) as queries:
            client.get(shown(batch))
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 12
    with CaptureQueriesContext(connection) as of_two:
        client.get(BATCHES)
    a_batch(1, 1)
    with CaptureQueriesContext(connection) as of_three:
        client.get(BATCHES)
    assert len(of_two) == len(of_three) <= 12
