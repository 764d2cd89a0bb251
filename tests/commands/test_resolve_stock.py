"""``resolve_stock``: the evidence of what waits for a person, and the decision."""

import json
from uuid import uuid4

import pytest
from django.core.management import CommandError

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Order, OrderEvent, OrderNote, StockMovement
from tests.admin.desk import in_review
from tests.commands.running import Outcome, run
from tests.factories import staff, stock

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def review(sandbox: Sandbox) -> StockMovement:
    """A movement that was applied, as the inventory's log shows and its answer did not."""
    return in_review(sandbox, "500_after")[1]


def test_resolve_stock_lists_the_evidence(review: StockMovement) -> None:
    number = review.confirmation.order_id
    lines = run("resolve_stock").out.splitlines()
    attempt = review.attempts.get()
    assert lines == [
        str(review.pk),
        f"  order #{number}, product 10, -2",
        f"  before: 45 in stock, updated {review.before_updated_at}",
        f"  after: 50 in stock, updated {review.after_updated_at}",
        f"  call at {attempt.sent_at.isoformat()}, server_error, HTTP 500"
        + (f", trace {attempt.trace_id}" if attempt.trace_id else ""),
        f"  search the inventory's log for: order:{number} movement:{review.pk}",
    ]


def test_resolve_stock_json_names_what_the_calls_said(
    sandbox: Sandbox, review: StockMovement
) -> None:
    (listed,) = json.loads(run("resolve_stock", "--json").out)["movements"]
    (effect,) = [e for e in sandbox.store.last_effects(10) if e["delta"] == -2]
    assert listed["reason"] == effect["reason"]
    assert (listed["before"]["quantity"], listed["after"]["quantity"]) == (45, 50)
    assert [call["outcome"] for call in listed["attempts"]] == ["server_error"]


def test_resolve_stock_with_nothing_to_decide_says_so() -> None:
    assert run("resolve_stock") == Outcome(0, "nothing waits for a decision\n", "")
    assert json.loads(run("resolve_stock", "--json").out) == {"movements": []}


@pytest.mark.parametrize(("decision", "left"), [("--applied", 50), ("--not-applied", 48)])
def test_resolve_stock_decides_and_the_order_goes_on(
    sandbox: Sandbox, review: StockMovement, decision: str, left: int
) -> None:
    outcome = run("resolve_stock", str(review.pk), decision, "--note", "as its log says")
    assert outcome.code == 0
    assert outcome.out.startswith(f"#{review.confirmation.order_id}: movement {review.pk} was ")
    while lifecycle.advance_due():
        pass
    assert Order.objects.get().status == "CONFIRMED"
    assert stock(sandbox) == {"10": left}
    assert OrderNote.objects.get().text == "as its log says"
    assert run("resolve_stock").out == "nothing waits for a decision\n"


def test_resolve_stock_by_a_user_names_them_in_the_timeline(review: StockMovement) -> None:
    manager = staff("manager", username="morgan")

    run("resolve_stock", str(review.pk), "--applied", "--note", "its log", "--user", "morgan")

    event = OrderEvent.objects.get(kind="review_resolved")
    assert (event.actor, event.via) == (f"user:{manager.pk}", "command")


@pytest.mark.parametrize(
    ("name", "refusal"),
    [("riley", "riley may not decide reviews"), ("nobody", "There is no user nobody")],
)
def test_resolve_stock_by_a_user_without_the_right_is_refused(
    review: StockMovement, name: str, refusal: str
) -> None:
    staff("fulfilment", username="riley")
    with pytest.raises(CommandError, match=refusal):
        run("resolve_stock", str(review.pk), "--applied", "--note", "its log", "--user", name)
    review.refresh_from_db()
    assert review.state == "review"


def test_resolve_stock_without_note_decision_or_movement_decides_nothing(
    review: StockMovement,
) -> None:
    for arguments in (
        (str(review.pk),),
        (str(review.pk), "--applied"),
        (str(review.pk), "--applied", "--note", " "),
        (str(review.pk), "--note", "x"),
        ("--applied", "--note", "x"),
    ):
        with pytest.raises(CommandError, match="To decide, name"):
            run("resolve_stock", *arguments)
    review.refresh_from_db()
    assert review.state == "review"


def test_resolve_stock_of_what_is_not_in_review_is_refused() -> None:
    with pytest.raises(CommandError, match="waits for a decision"):
        run("resolve_stock", str(uuid4()), "--applied", "--note", "x")
    with pytest.raises(CommandError, match="UUID"):
        run("resolve_stock", "no-id", "--applied", "--note", "x")
