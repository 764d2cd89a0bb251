"""What becomes of a movement whose call gave no proof, or whose process died.

Rows are put where a crash at that step leaves them; time passes by moving the rows' times back,
because the ledger's clock is the database's.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.errors import Shortage
from orders.models import Confirmation, Order, StockAttempt, StockMovement
from orders.status import FailureReason
from orders.stock import inventory, ledger, steps, timing
from tests.factories import OPERATOR, confirm_once, order_of, stock

pytestmark = pytest.mark.usefixtures("committed_db")


def pass_time(seconds: float) -> None:
    """Let so much time pass for the whole ledger."""
    ago = timedelta(seconds=seconds)
    StockMovement.objects.update(
        lease_until=F("lease_until") - ago,
        settles_at=F("settles_at") - ago,
        not_before=F("not_before") - ago,
    )


def confirm_slowly(sandbox: Sandbox, fault: str) -> tuple[Order, StockMovement]:
    """Confirm an order of 2 × 10 while the call that takes them suffers a fault."""
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    sandbox.faults.script(fault=fault)
    confirm_once(order)
    return order, StockMovement.objects.get()


def advance(order: Order, hold: float | None = 5) -> None:
    lifecycle.advance(order.confirmations.get().pk, hold=hold)
    order.refresh_from_db()


@pytest.mark.parametrize("fault", ["500_before", "reset_before", "503_before"])
def test_advance_an_unknown_outcome_that_was_not_applied_takes_the_stock_later(
    sandbox: Sandbox, fault: str
) -> None:
    order, movement = confirm_slowly(sandbox, fault)
    assert movement.state == "unknown"

    advance(order, hold=None)
    assert stock(sandbox) == {"10": 45}, "it must not ask before the outcome has settled"
    pass_time(200)
    advance(order)

    assert (order.status, order.stock_state) == ("CONFIRMED", "clear")
    assert stock(sandbox) == {"10": 43}


@pytest.mark.parametrize(
    "fault", ["500_after", "reset_after", "truncated", "malformed_json", "wrong_product"]
)
def test_advance_an_unknown_outcome_that_was_applied_asks_a_person(
    sandbox: Sandbox, fault: str
) -> None:
    order, _ = confirm_slowly(sandbox, fault)
    pass_time(200)
    advance(order)

    assert (order.status, order.stock_state) == ("PENDING", "review")
    movement = StockMovement.objects.get()
    assert (movement.state, movement.before_quantity, movement.after_quantity) == ("review", 45, 43)
    assert stock(sandbox) == {"10": 43}


def test_advance_an_unknown_outcome_counts_as_applied_for_a_sole_writer(
    sandbox: Sandbox, settings: Settings
) -> None:
    settings.INVENTORY_SOLE_WRITER = True
    order, _ = confirm_slowly(sandbox, "500_after")
    pass_time(200)
    advance(order)

    assert (order.status, StockMovement.objects.get().resolved_by) == ("CONFIRMED", "readback")
    assert stock(sandbox) == {"10": 43}


def test_advance_an_unknown_outcome_is_sent_again_to_an_upstream_that_honours_keys(
    sandbox: Sandbox, settings: Settings
) -> None:
    settings.INVENTORY_HONOURS_IDEMPOTENCY = True
    sandbox.switches.update({"honours_idempotency": True})
    order, movement = confirm_slowly(sandbox, "500_after")
    pass_time(30)
    advance(order)

    assert (order.status, StockMovement.objects.get().resolved_by) == ("CONFIRMED", "replay")
    assert stock(sandbox) == {"10": 43}
    assert StockAttempt.objects.filter(movement=movement).count() == 2


def test_confirm_while_the_product_is_unknown_waits_for_it(sandbox: Sandbox) -> None:
    confirm_slowly(sandbox, "500_before")
    other = order_of(p10=1)

    confirm_once(other)
    other.refresh_from_db()

    assert (other.status, other.stock_state) == ("PENDING", "settling")
    assert stock(sandbox) == {"10": 45}
    pass_time(200)
    for confirmation in Confirmation.objects.order_by("pk"):
        lifecycle.advance(confirmation.pk, hold=5)
    assert stock(sandbox) == {"10": 42}


def test_advance_after_a_holder_died_with_a_claim_takes_the_stock(sandbox: Sandbox) -> None:
    order, _ = confirm_slowly(sandbox, "429")
    StockMovement.objects.update(
        state="claimed", fence=F("fence") + 1, lease_until=F("created_at") + timedelta(seconds=22)
    )
    pass_time(60)
    advance(order)

    assert order.status == "CONFIRMED"
    assert stock(sandbox) == {"10": 43}


def test_advance_after_a_holder_died_while_sending_reads_back_when_settled(
    sandbox: Sandbox,
) -> None:
    order, _ = confirm_slowly(sandbox, "500_after")
    StockMovement.objects.update(
        state="sent", fence=F("fence") + 1, lease_until=F("sent_at") + timedelta(seconds=22)
    )
    pass_time(30)
    advance(order, hold=None)
    assert StockMovement.objects.get().state == "unknown"
    pass_time(200)
    advance(order)

    assert order.stock_state == "review"


def test_confirm_when_throttled_finishes_by_itself(sandbox: Sandbox) -> None:
    order, movement = confirm_slowly(sandbox, "429")
    assert movement.state == "planned"
    pass_time(30)
    advance(order)

    assert (order.status, stock(sandbox)) == ("CONFIRMED", {"10": 43})


def test_confirm_short_in_the_middle_gives_back_what_it_took(sandbox: Sandbox) -> None:
    """The bulk check says yes, and somebody outside takes the second product just after."""
    sandbox.store.set_stock({"1": 5, "2": 5})
    order = order_of(p1=3, p2=4)
    real_read = inventory.client().read

    def read(product_id: str, **options: Any) -> object:
        if product_id == "2":
            sandbox.store.set_stock({"2": 1})
        return real_read(product_id, **options)

    inventory.client().read = read  # type: ignore[method-assign,assignment]
    with pytest.raises(Exception, match="4 × 2 short, 1 in stock"):
        lifecycle.confirm(order.pk, actor=OPERATOR, hold=5)

    order.refresh_from_db()
    assert (order.status, order.stock_state) == ("PENDING", "short")
    assert stock(sandbox) == {"1": 5, "2": 1}


def test_cancel_during_an_unknown_outcome_gives_back_once_it_is_known(sandbox: Sandbox) -> None:
    order, _ = confirm_slowly(sandbox, "500_before")
    lifecycle.cancel(order.pk, actor=OPERATOR, hold=0.1)
    order.refresh_from_db()
    assert (order.status, order.stock_state) == ("PENDING", "settling")

    pass_time(200)
    advance(order)

    assert (order.status, order.stock_state) == ("CANCELLED", "clear")
    assert stock(sandbox) == {"10": 45}
    assert Confirmation.objects.get().state == "cancelled"


def test_two_orders_for_the_last_piece_serve_the_one_that_came_first(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 1})
    first, second = order_of(p10=1), order_of(p10=1)
    sandbox.faults.script(fault="429")
    confirm_once(first)
    confirm_once(second)
    pass_time(30)

    advance(first)
    assert first.status == "CONFIRMED"
    advance(second)
    assert (second.status, second.stock_state) == ("PENDING", "short")


def test_advance_due_behind_an_unknown_outcome_goes_on_with_other_products(
    sandbox: Sandbox,
) -> None:
    """Those who wait for a product must not be asked again so often that nobody else is."""
    confirm_slowly(sandbox, "500_before")
    sandbox.store.set_stock({"9": 5})
    waiting, other = [order_of(p10=1) for _ in range(60)], order_of(p9=1)
    lifecycle.confirm_many([order.pk for order in [*waiting, other]], actor=OPERATOR)

    turns = 0
    while turns < 200 and lifecycle.advance_due():
        turns += 1

    other.refresh_from_db()
    assert other.status == "CONFIRMED"
    assert turns == 8  # of eight side by side: each was asked for once
    assert 100 < (lifecycle.next_due_in() or 0) < 140


def test_replay_that_is_refused_proves_nothing_of_the_first_call(
    sandbox: Sandbox, settings: Settings
) -> None:
    """It was applied, and then the key is rotated or a proxy redirects."""
    sandbox.switches.update({"honours_idempotency": True})
    order, _ = confirm_slowly(sandbox, "500_after")
    settings.INVENTORY_HONOURS_IDEMPOTENCY = True
    sandbox.faults.script(fault="307")
    pass_time(200)
    advance(order, hold=None)
    assert StockMovement.objects.get().state == "unknown"

    pass_time(30)
    advance(order)

    assert (order.status, stock(sandbox)) == ("CONFIRMED", {"10": 43})


def test_replay_without_end_asks_a_person(sandbox: Sandbox, settings: Settings) -> None:
    order, _ = confirm_slowly(sandbox, "500_after")
    settings.INVENTORY_HONOURS_IDEMPOTENCY = True
    StockMovement.objects.update(tries=steps.MOST_REPLAYS)
    pass_time(200)
    advance(order)
    assert order.stock_state == "review"


def test_a_late_bulk_check_does_not_fail_a_confirmation_that_has_taken_its_stock(
    sandbox: Sandbox,
) -> None:
    """What the second runner's check misses is what the first has taken for this very order."""
    sandbox.store.set_stock({"1": 5, "2": 5})
    order = order_of(p1=5, p2=5)
    sandbox.faults.script(fault="429", product_id="2")
    confirm_once(order)
    assert stock(sandbox) == {"1": 0, "2": 5}
    confirmation = order.confirmations.get()

    ledger.fail(confirmation.pk, FailureReason.INSUFFICIENT_STOCK, [Shortage("1", 5, 0)])
    pass_time(30)
    advance(order)

    assert order.status == "CONFIRMED"
    assert stock(sandbox) == {"1": 0, "2": 0}


@pytest.mark.parametrize("wish", [0.0, 999_999_999.0])
def test_backoff_heeds_a_retry_after_within_reason(wish: float) -> None:
    assert timing.backoff(0, at_least=wish) <= timedelta(
        seconds=timing.LONGEST_WISH + timing.BACKOFF_BASE
    )


def test_sleep_leaves_a_confirmation_awake_that_somebody_woke(sandbox: Sandbox) -> None:
    confirm_slowly(sandbox, "429")
    confirmation = Confirmation.objects.get()
    ledger.wake(confirmation.pk)
    ledger.sleep({confirmation.pk: timezone.now() + timedelta(hours=1)})
    assert ledger.next_due_in() == 0


def test_confirm_by_hand_does_not_give_up_a_batch_that_waits_for_the_inventory(
    sandbox: Sandbox,
) -> None:
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    sandbox.switches.update({"down": "503"})
    lifecycle.confirm_many([order.pk], actor=OPERATOR)

    waiting = lifecycle.confirm(order.pk, actor=OPERATOR, hold=0.1)

    assert (waiting.status, waiting.stock_state) == ("PENDING", "settling")
