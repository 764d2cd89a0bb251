"""The review desk: its list, the evidence on a movement's page, and the two decisions."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import StockMovement
from orders.status import MovementState
from tests.admin.conftest import SignIn
from tests.admin.desk import DESK, decide, decided_at, in_review, shown
from tests.admin.pages import page
from tests.factories import OPERATOR, order_of

pytestmark = pytest.mark.usefixtures("committed_db")

SEES = {"viewer": False, "fulfilment": True, "manager": True, "auditor": True}
ROLES = list(SEES)


@pytest.mark.parametrize("role", ROLES)
def test_desk_is_seen_by_who_sees_the_ledger_and_decides_for_who_may_review(
    sign_in: SignIn, sandbox: Sandbox, role: str
) -> None:
    order, movement = in_review(sandbox)
    client = sign_in(role)
    seen = 200 if SEES[role] else 403
    may = role == "manager"

    assert client.get(DESK).status_code == seen
    response = client.get(shown(movement))
    assert response.status_code == seen
    assert (decided_at(movement) in response.content.decode()) == may
    assert (shown(movement) in client.get(page(order)).content.decode()) == may

    assert decide(client, movement).status_code == (302 if may else 403)
    movement.refresh_from_db()
    assert movement.state == ("applied" if may else "review")


@pytest.mark.parametrize("role", ROLES)
def test_sidebar_counts_the_reviews_for_who_may_see_them(
    sign_in: SignIn, sandbox: Sandbox, role: str
) -> None:
    in_review(sandbox)
    groups = sign_in(role).get("/admin/").context["sidebar_navigation"]
    badges = [i["badge"] for g in groups for i in g["items"] if i["link"] == DESK]
    assert badges == ([1] if SEES[role] else [])


def test_list_has_what_is_in_review_with_its_order_and_nothing_else(
    sign_in: SignIn, sandbox: Sandbox
) -> None:
    order, movement = in_review(sandbox)
    done = order_of(p10=1)
    lifecycle.confirm(done.pk, actor=OPERATOR)
    body = sign_in("auditor").get(DESK).content.decode()
    for piece in (shown(movement), page(order), f"#{order.pk}", "−2", ">0 min</time>"):
        assert piece in body
    assert f"#{done.pk}" not in body


def test_page_puts_the_evidence_side_by_side(sign_in: SignIn, sandbox: Sandbox) -> None:
    order, movement = in_review(sandbox)
    later = order_of(p10=1)
    lifecycle.confirm(later.pk, actor=OPERATOR)
    attempt = movement.attempts.get()
    attempt.trace_id = "trace-7"
    attempt.save()

    response = sign_in("manager").get(shown(movement))

    body = response.content.decode()
    rows = re.sub(r"<[^>]+>|\s+", " ", body)
    rows = re.sub(r" +", " ", rows)
    assert f"Before 45 {movement.before_updated_at}" in rows
    assert "Expected, if applied 43" in rows
    assert f"Read back 50 {movement.after_updated_at}" in rows
    assert "Somebody else changed the stock: +5 since before the call." in body
    assert f">order:{order.pk} movement:{movement.pk}</code>" in body
    assert "500 trace-7" in rows
    assert "Counts as taken; the order goes on." in body
    assert "Will be asked for again: −2 × 10." in body
    [other] = response.context["others"]
    assert (other.movement.confirmation.order_id, other.change) == (later.pk, "−1")


@pytest.mark.parametrize(
    ("after", "reading"),
    [
        (43, "As if it had been applied. No proof: somebody else may have changed it so."),
        (45, "The quantity is as before, but not provably untouched."),
        (None, "The stock could not be read back, so the snapshots say nothing."),
    ],
)
def test_page_says_what_the_snapshots_say(
    sign_in: SignIn, sandbox: Sandbox, after: int | None, reading: str
) -> None:
    _, movement = in_review(sandbox)
    StockMovement.objects.update(after_quantity=after)
    assert reading in sign_in("auditor").get(shown(movement)).content.decode()


def test_page_of_an_order_that_is_being_cancelled_says_what_follows(
    sign_in: SignIn, sandbox: Sandbox
) -> None:
    order, movement = in_review(sandbox)
    lifecycle.cancel(order.pk, actor=OPERATOR, hold=0.1)
    body = sign_in("manager").get(shown(movement)).content.decode()
    assert "Counts as taken; it is given back then, for the order no longer wants it." in body
    assert "nothing more is asked for" in body


def test_page_of_a_refused_reversal_says_so(sign_in: SignIn, sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    lifecycle.confirm(order.pk, actor=OPERATOR)
    sandbox.store.set_stock({"10": None})
    lifecycle.cancel(order.pk, actor=OPERATOR)
    movement = StockMovement.objects.get(state=MovementState.REVIEW)
    body = sign_in("manager").get(shown(movement)).content.decode()
    assert "The inventory service refused it: unknown_product." in body
    assert "None: nothing was sent." in body
    assert "Counts as given back; the order goes on." in body


@pytest.mark.parametrize("key", ["x", "00000000-0000-4000-8000-000000000000"])
def test_page_of_no_movement_is_404(sign_in: SignIn, key: str) -> None:
    assert sign_in("manager").get(f"{DESK}{key}/change/").status_code == 404


@pytest.mark.parametrize("path", ["add/", "{}/delete/"])
def test_movements_are_neither_added_nor_deleted(
    sign_in: SignIn, sandbox: Sandbox, path: str
) -> None:
    _, movement = in_review(sandbox)
    path = DESK + path.format(movement.pk)
    assert sign_in("manager").post(path, {"post": "yes"}).status_code == 403


def test_desk_escapes_what_others_wrote(sign_in: SignIn, sandbox: Sandbox) -> None:
    attack = "<script>alert(1)</script>"
    _, movement = in_review(sandbox)
    movement.attempts.update(trace_id=attack, outcome="<script>alert(2)")
    changed = {"product_id": attack, "before_updated_at": attack, "after_updated_at": attack}
    StockMovement.objects.update(**changed, rejection="<script>alert(3)")
    client = sign_in("manager")
    failed = decide(client, movement, note=attack, applied="</textarea>" + attack)
    for body in (client.get(DESK).content, client.get(shown(movement)).content, failed.content):
        assert b"<script>alert" not in body
        assert b"&lt;script&gt;alert(1)&lt;/script&gt;" in body


def test_desk_costs_the_same_number_of_queries_for_any_number(
    sign_in: SignIn, sandbox: Sandbox
) -> None:
    _, movement = in_review(sandbox)
    client = sign_in("manager")
    counts = []
    for more in (0, 15):
        for _ in range(more):
            lifecycle.confirm(order_of(p10=1).pk, actor=OPERATOR)
        StockMovement.objects.exclude(pk=movement.pk).update(state="review")
        for path in (DESK, shown(movement)):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(path).status_code == 200
            counts.append(len(queries))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 16
