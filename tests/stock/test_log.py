"""The log has each change of stock, for who has lost the database, or has one from before."""

import pytest
from django.db import OperationalError
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.errors import NotInReview
from orders.models import StockMovement
from orders.status import CancelReason
from orders.stock import outcomes
from tests.admin.desk import in_review
from tests.factories import OPERATOR, order_of, stock
from tests.logged import logged
from tests.stock.test_recovery import pass_time

pytestmark = pytest.mark.usefixtures("committed_db")

SENDING = "orders.stock.sending"
STEPS = "orders.stock.steps"
REVIEWS = "orders.lifecycle.reviewing"
CALLS = "orders.outgoing"


def lost(*_: object) -> None:
    raise OperationalError("gone")


def test_each_change_of_stock_is_a_line(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45, "7": 9})
    order = order_of(p10=2, p7=1)
    with logged(SENDING) as lines:
        lifecycle.confirm(order.pk, actor=OPERATOR, hold=5)
        lifecycle.cancel(order.pk, actor=OPERATOR, reason=CancelReason.CUSTOMER)
    movements = StockMovement.objects.in_bulk()
    assert len(movements) == 4
    assert {line["movement"] for line in lines} == {str(each) for each in movements}
    assert sorted((line["product"], line["quantity"], line["in_stock"]) for line in lines) == [
        *(("10", -2, 43), ("10", 2, 45)),
        *(("7", -1, 8), ("7", 1, 9)),
    ]
    assert {(line["event"], line["order"]) for line in lines} == {("stock_moved", order.pk)}


def test_change_that_the_database_could_not_take_is_a_line_all_the_same(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    with monkeypatch.context() as patch, logged(SENDING) as lines:
        patch.setattr(outcomes, "record_applied", lost)
        with pytest.raises(OperationalError):
            lifecycle.confirm(order.pk, actor=OPERATOR, hold=5)
    movement = StockMovement.objects.get()
    assert (movement.state, stock(sandbox)) == ("sent", {"10": 43})
    assert [(line["event"], line["movement"]) for line in lines] == [
        ("stock_moved", str(movement.pk)),
        ("late_answer_not_written_down", str(movement.pk)),
    ]


def test_change_without_an_answer_names_what_was_sent_and_what_was_found(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    sandbox.faults.script("reset_after")
    with logged(SENDING) as moved, logged(CALLS) as failed:
        lifecycle.confirm(order.pk, actor=OPERATOR, hold=0.5)
    movement = StockMovement.objects.get()
    assert movement.state == "unknown"
    assert moved == []
    assert [(line["order"], line["movement"], line["product"]) for line in failed] == [
        (order.pk, str(movement.pk), "10")
    ]

    pass_time(300)
    with logged(STEPS) as looked:
        lifecycle.advance(movement.confirmation_id, hold=2)
    [line] = looked
    assert line | {"event": "stock_read_back", "order": order.pk, "to": "review"} == line


@pytest.mark.parametrize(("applied", "to"), [(True, "applied"), (False, "planned")])
def test_decision_on_a_review_is_a_line(sandbox: Sandbox, applied: bool, to: str) -> None:
    """Without its note, which may name people."""
    _, movement = in_review(sandbox)
    with logged(REVIEWS) as lines:
        lifecycle.resolve(movement.pk, applied=applied, note="Kim Doe found it", actor=OPERATOR)
        with pytest.raises(NotInReview):
            lifecycle.resolve(movement.pk, applied=not applied, note="again", actor=OPERATOR)
    [line] = lines
    told = {
        "event": "stock_review_resolved",
        "order": movement.confirmation.order_id,
        "movement": str(movement.pk),
        "product": movement.product_id,
        "quantity": movement.delta,
        "to": to,
    }
    assert line | told == line
    assert "Kim" not in str(line)


def test_key_that_is_sent_again_is_another_line_which_says_so(
    sandbox: Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who adds up an order's changes takes the two for one."""
    settings.INVENTORY_HONOURS_IDEMPOTENCY = True
    sandbox.switches.update({"honours_idempotency": True})
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    with logged(SENDING) as lines:
        with monkeypatch.context() as patch:
            patch.setattr(outcomes, "record_applied", lost)
            with pytest.raises(OperationalError):
                lifecycle.confirm(order.pk, actor=OPERATOR, hold=5)
        movement = StockMovement.objects.get()
        for _ in range(2):
            pass_time(300)
            lifecycle.advance(movement.confirmation_id, hold=2)
    assert stock(sandbox) == {"10": 43}
    moved = [line for line in lines if line["event"] == "stock_moved"]
    assert [(line["movement"], line["quantity"], line["again"]) for line in moved] == [
        (str(movement.pk), -2, False),
        (str(movement.pk), -2, True),
    ]
