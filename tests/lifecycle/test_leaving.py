"""A caller who leaves a call under way: its answer is written down all the same, and used."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle, outgoing
from orders.errors import InventoryUnavailable
from orders.models import Order, StockAttempt, StockMovement
from orders.stock import engine, inventory, patience
from orders.stock.protocol import Wait
from tests.api.calls import patch, service
from tests.factories import OPERATOR, order_of, stock

pytestmark = pytest.mark.usefixtures("committed_db")

LATE = 3.0  # seconds that a slow call takes


@pytest.fixture(autouse=True)
def slow(sandbox: Sandbox) -> Iterator[None]:
    sandbox.faults.configure({"late_seconds": LATE})
    yield
    sandbox.faults.configure({})


def until(is_so: Callable[[], bool], *, within: float = 10) -> None:
    """Wait for something that another thread does."""
    end = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < end, "it did not come to it"
        time.sleep(0.02)


def confirm_and_leave(sandbox: Sandbox, fault: str) -> Order:
    """Confirm an order of 2 × 10 for a second, while the call that takes them takes longer."""
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    sandbox.faults.script(fault=fault, operation="adjust")
    begun = time.monotonic()
    left = lifecycle.confirm(order.pk, actor=OPERATOR, hold=1.0)
    assert time.monotonic() - begun < LATE - 0.5
    assert (left.status, left.stock_state) == ("PENDING", "settling")
    return order


def test_confirm_left_under_way_is_finished_by_a_worker(sandbox: Sandbox) -> None:
    order = confirm_and_leave(sandbox, "late_apply")
    assert StockMovement.objects.get().state == "sent"

    until(lambda: lifecycle.next_due_in() == 0)
    assert StockMovement.objects.get().state == "applied"
    assert lifecycle.advance_due()

    order.refresh_from_db()
    assert (order.status, order.stock_state) == ("CONFIRMED", "clear")
    assert stock(sandbox) == {"10": 43}
    attempt = StockAttempt.objects.get()
    assert (attempt.outcome, attempt.http_status) == ("applied", 200)


def test_confirm_left_without_an_answer_becomes_unknown(
    sandbox: Sandbox, settings: Settings
) -> None:
    settings.INVENTORY_TIMEOUT_SECONDS = 2.0
    inventory.client.cache_clear()
    confirm_and_leave(sandbox, "hang")

    until(lambda: StockMovement.objects.get().state == "unknown")
    assert StockAttempt.objects.get().outcome == "timeout"


def test_confirm_again_while_the_call_is_under_way_joins_it(sandbox: Sandbox) -> None:
    order = confirm_and_leave(sandbox, "late_apply")

    assert lifecycle.confirm(order.pk, actor=OPERATOR, hold=5).status == "CONFIRMED"
    assert stock(sandbox) == {"10": 43}
    assert StockAttempt.objects.count() == 1


@pytest.fixture
def one_call(settings: Settings) -> Iterator[None]:
    """A process that can afford one call at a time."""
    settings.WEB_THREADS = 3
    outgoing._slots.cache_clear()
    patience._threads.cache_clear()
    yield
    outgoing._slots.cache_clear()
    patience._threads.cache_clear()


@pytest.mark.usefixtures("one_call")
def test_a_call_left_under_way_counts_until_it_ends(sandbox: Sandbox) -> None:
    confirm_and_leave(sandbox, "late_apply")
    with pytest.raises(outgoing.NoCallToSpare), inventory.call():
        pass
    until(lambda: lifecycle.next_due_in() == 0)
    until(lambda: outgoing._slots().acquire(blocking=False))


@pytest.mark.usefixtures("one_call")
def test_no_call_to_spare_hurries_nobody_who_waits_for_something_else(sandbox: Sandbox) -> None:
    """What takes the call must not be looked at again and again, before what could be done."""
    taking = confirm_and_leave(sandbox, "late_apply")
    other = lifecycle.confirm(order_of(p7=1).pk, actor=OPERATOR, hold=0)
    held, planned = (order.confirmations.get().pk for order in (taking, other))
    begun = timezone.now()

    answers = engine.run(
        [held, planned], hold=None, give_up_unreachable=False, on_late=lambda _: None
    )

    waits = {
        each: answer.until - begun for each, answer in answers.items() if isinstance(answer, Wait)
    }
    assert waits[held] > timedelta(seconds=5)
    assert waits[planned] < timedelta(seconds=5)
    until(lambda: StockMovement.objects.get(confirmation=held).state == "applied")


def test_confirm_with_a_check_that_hangs_gives_up_in_its_time(sandbox: Sandbox) -> None:
    order = order_of(p10=2)
    sandbox.faults.script(fault="hang", operation="check")

    begun = time.monotonic()
    with pytest.raises(InventoryUnavailable):
        lifecycle.confirm(order.pk, actor=OPERATOR, hold=1.0)

    assert time.monotonic() - begun < LATE - 0.5
    order.refresh_from_db()
    assert (order.status, order.stock_state) == ("PENDING", "clear")
    assert inventory.client()._service._breaker.wait() == 0


def test_confirm_with_a_read_that_hangs_leaves_the_product_to_others(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    order, other = order_of(p10=2), order_of(p10=1)
    sandbox.faults.script(fault="hang", operation="read")

    begun = time.monotonic()
    left = lifecycle.confirm(order.pk, actor=OPERATOR, hold=1.0)

    assert time.monotonic() - begun < LATE - 0.5
    assert left.stock_state == "settling"
    assert StockMovement.objects.get().state == "planned"
    assert StockAttempt.objects.count() == 0
    assert lifecycle.confirm(other.pk, actor=OPERATOR, hold=5).status == "CONFIRMED"


def test_patch_of_an_order_whose_call_hangs_is_answered_in_two_seconds(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    sandbox.faults.configure({"late_seconds": 6})
    sandbox.faults.script(fault="late_apply", operation="adjust")
    order, manager = order_of(p10=2), service()

    begun = time.monotonic()
    answer = patch(manager, order, "CONFIRMED")
    assert 1.9 < time.monotonic() - begun < 5

    assert (answer.status_code, answer.headers["Retry-After"]) == (202, "2")
    assert answer.json()["stock"]["state"] == "settling"
    until(lambda: lifecycle.next_due_in() == 0)
    assert lifecycle.advance_due()
    assert patch(manager, order, "CONFIRMED").status_code == 200
    assert stock(sandbox) == {"10": 43}
