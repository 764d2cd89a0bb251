"""Many confirmations side by side: what goes wrong with one is nothing to the others."""

import logging
import threading
import time
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.lifecycle import advancing
from orders.models import Confirmation, Order, StockAttempt, StockMovement
from orders.stock import inventory, ledger, movements, steps, timing
from orders.stock.protocol import Claim, Movement, next_step
from tests.factories import OPERATOR, order, order_of, stock

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture(autouse=True)
def faultless_again(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.faults.configure({})


def orders_of_their_own(sandbox: Sandbox, count: int, *, products: int = 2) -> list[Order]:
    """Return orders that have no product in common, and stock for each."""
    names = [[f"o{number}p{each}" for each in range(products)] for number in range(count)]
    sandbox.store.set_stock({name: 5 for its in names for name in its})
    return [order_of("50.00", **dict.fromkeys(its, 2)) for its in names]


def confirm_all(orders: list[Order]) -> None:
    lifecycle.confirm_many([each.pk for each in orders], actor=OPERATOR)
    assert lifecycle.advance_due()


def worker() -> threading.Thread:
    """Start a thread that takes what is due, as a worker's does."""

    def work() -> None:
        lifecycle.advance_due()
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def statuses(orders: list[Order]) -> list[str]:
    by_number = dict(Order.objects.values_list("pk", "status"))
    return [by_number[each.pk] for each in orders]


def test_eight_orders_take_their_stock_in_one_turn_and_few_statements(sandbox: Sandbox) -> None:
    orders = orders_of_their_own(sandbox, 8)
    lifecycle.confirm_many([each.pk for each in orders], actor=OPERATOR)

    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert lifecycle.advance_due()

    assert statuses(orders) == ["CONFIRMED"] * 8
    assert set(stock(sandbox).values()) == {3}
    assert sandbox.calls() == {"check": 1, "read": 16, "adjust": 16}
    assert len(asked) <= 24  # for one order alone they would be nearly as many


def test_one_that_is_short_or_unknown_or_empty_stops_no_other(sandbox: Sandbox) -> None:
    good = orders_of_their_own(sandbox, 3)
    sandbox.store.set_stock({"few": 1})
    bad = [order_of(few=2), order_of(nosuch=1), order()]

    confirm_all([*good[:2], *bad, good[2]])

    assert statuses(good) == ["CONFIRMED"] * 3
    assert statuses(bad) == ["PENDING"] * 3
    assert [Confirmation.objects.get(order=each).failure for each in bad] == [
        "insufficient_stock",
        "insufficient_stock",
        "inventory_refused",
    ]
    assert stock(sandbox)["few"] == 1


@pytest.mark.parametrize(
    ("fault", "state"), [("500_after", "unknown"), ("429", "planned"), ("reset_before", "unknown")]
)
def test_a_call_that_fails_concerns_its_own_order(
    sandbox: Sandbox, fault: str, state: str, caplog: pytest.LogCaptureFixture
) -> None:
    orders = orders_of_their_own(sandbox, 4)
    sandbox.faults.script(fault=fault, product_id="o2p1")

    with caplog.at_level(logging.WARNING):
        confirm_all(orders)

    assert statuses(orders) == ["CONFIRMED", "CONFIRMED", "PENDING", "CONFIRMED"]
    assert StockMovement.objects.get(product_id="o2p1").state == state
    [record] = caplog.records
    assert f"'order': {orders[2].pk}" in str(record.msg)


def test_a_call_that_hangs_is_left_and_used_when_it_answers(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "STAY", 0.3)
    orders = orders_of_their_own(sandbox, 4)
    sandbox.faults.configure({"late_seconds": 4})
    sandbox.faults.script(fault="late_apply", product_id="o2p1")

    begun = time.monotonic()
    confirm_all(orders)

    assert time.monotonic() - begun < 3.5
    assert statuses(orders) == ["CONFIRMED", "CONFIRMED", "PENDING", "CONFIRMED"]
    assert not lifecycle.advance_due()
    end = time.monotonic() + 10
    while not lifecycle.advance_due():
        assert time.monotonic() < end
        time.sleep(0.05)
    assert statuses(orders) == ["CONFIRMED"] * 4
    assert set(stock(sandbox).values()) == {3}
    assert StockAttempt.objects.count() == 8


def test_orders_of_one_product_take_it_one_after_the_other(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    sandbox.switches.update({"race_window_ms": 3})
    orders = [order_of(p10=2) for _ in range(6)]

    confirm_all(orders)

    assert statuses(orders) == ["CONFIRMED"] * 6
    assert stock(sandbox) == {"10": 33}
    befores = StockMovement.objects.order_by("confirmation").values_list("before_quantity")
    assert [before for (before,) in befores] == [45, 43, 41, 39, 37, 35]


def test_more_products_than_one_check_may_name_are_checked_by_halves(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "MOST_CHECKED", 5)
    orders = orders_of_their_own(sandbox, 4)  # of eight products

    confirm_all(orders)

    assert statuses(orders) == ["CONFIRMED"] * 4
    assert sandbox.calls()["check"] == 2


def test_a_turn_that_takes_long_is_ended_and_taken_up_again(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "TURN", 0.0)
    orders = orders_of_their_own(sandbox, 3)

    confirm_all(orders)

    assert statuses(orders) == ["PENDING"] * 3
    assert sandbox.calls() == {}
    monkeypatch.setattr(timing, "TURN", 60.0)
    assert lifecycle.next_due_in() == 0
    assert lifecycle.advance_due()
    assert statuses(orders) == ["CONFIRMED"] * 3


def test_stock_on_its_way_back_goes_before_those_who_wait_for_it(sandbox: Sandbox) -> None:
    """The older one wants what the younger gives back, and both have their turn together."""
    sandbox.store.set_stock({"10": 2})
    older, younger = order_of(p10=2), order_of(p10=2)
    lifecycle.confirm(younger.pk, actor=OPERATOR, hold=5)
    lifecycle.confirm_many([older.pk], actor=OPERATOR)
    lifecycle.cancel(younger.pk, actor=OPERATOR, hold=0)
    Confirmation.objects.update(wake_at=Now())
    ledger.mark_checked([Confirmation.objects.get(order=older).pk])

    end = time.monotonic() + 5
    while statuses([older, younger]) != ["CONFIRMED", "CANCELLED"]:
        assert time.monotonic() < end
        lifecycle.advance_due()
    assert stock(sandbox) == {"10": 0}


def test_an_answer_is_written_down_before_the_slowest_has_come(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = orders_of_their_own(sandbox, 3, products=1)
    monkeypatch.setattr(timing, "STAY", 10.0)
    sandbox.faults.configure({"late_seconds": 4})
    sandbox.faults.script(fault="late_apply", product_id="o1p0")
    lifecycle.confirm_many([each.pk for each in orders], actor=OPERATOR)

    thread = worker()
    end = time.monotonic() + 3.5
    applied = StockMovement.objects.filter(state="applied")
    while applied.count() < 2:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert applied.count() == 2
    thread.join()
    assert statuses(orders) == ["CONFIRMED"] * 3


def planned(orders: list[Order]) -> list[Movement]:
    """Open the orders' confirmations, and return the movement that each would claim first."""
    opened = ledger.open_confirmations([each.pk for each in orders], actor="system", via="worker")
    ledger.mark_checked(list(opened.values()))
    steps = [next_step(each.rows, each.now) for each in ledger.load(list(opened.values()))]
    return [step.movement for step in steps if isinstance(step, Claim)]


def test_claim_of_a_product_that_another_is_taking_leaves_the_rest_ours(sandbox: Sandbox) -> None:
    """The other's claim is not committed when ours looks, so only the index can tell."""
    ours = planned(orders_of_their_own(sandbox, 3, products=1))
    [theirs] = planned([order_of(o1p0=1)])
    claimed, committed = threading.Event(), threading.Event()

    def take() -> None:
        with transaction.atomic():
            assert movements.claim([theirs])
            claimed.set()
            time.sleep(0.3)  # ours waits for the index meanwhile
        committed.set()
        connection.close()

    thread = threading.Thread(target=take)
    thread.start()
    assert claimed.wait(5)
    got = movements.claim(ours)
    thread.join()

    assert committed.is_set()
    assert [each.movement.product_id for each in got] == ["o0p0", "o2p0"]


def test_claim_in_another_order_than_somebody_else_s_ends_without_loss(sandbox: Sandbox) -> None:
    """Two sets that wait for each other: the database ends one, which goes on one by one."""
    products = {f"o{number}p0": 1 for number in range(2)}
    orders_of_their_own(sandbox, 2, products=1)
    ours = planned([order_of("50.00", **{name: 1}) for name in products])
    theirs = planned([order_of("50.00", **{name: 1}) for name in products])
    first, second = threading.Event(), threading.Event()
    got: list[str] = []

    def take() -> None:
        with transaction.atomic():
            movements.claim([theirs[1]])
            first.set()
            second.wait(5)
            time.sleep(0.2)  # until ours holds the first product and waits for the second
            try:
                with transaction.atomic():
                    got.extend(each.movement.product_id for each in movements.claim([theirs[0]]))
            except Exception:
                transaction.set_rollback(True)
        connection.close()

    thread = threading.Thread(target=take)
    thread.start()
    assert first.wait(5)
    second.set()
    got += [each.movement.product_id for each in movements.claim(ours)]
    thread.join()

    in_flight = StockMovement.objects.filter(state="claimed").values_list("product_id", flat=True)
    assert sorted(in_flight) == sorted(set(in_flight))


def test_write_ahead_of_what_somebody_took_over_is_not_sent(sandbox: Sandbox) -> None:
    ours = movements.claim(planned(orders_of_their_own(sandbox, 3, products=1)))
    StockMovement.objects.filter(pk=ours[1].movement.id).update(fence=9)

    written = movements.write_ahead(
        [movements.Snapshot(each.movement, each.fence, 5, "t") for each in ours]
    )

    assert [each.movement for each in written] == [ours[0].movement, ours[2].movement]
    assert StockAttempt.objects.count() == 2


def test_who_asks_by_hand_is_not_kept_by_those_side_by_side(
    sandbox: Sandbox, settings: Settings
) -> None:
    """A worker's calls and a request's share the threads; neither waits for all of the other's."""
    settings.INVENTORY_TIMEOUT_SECONDS = 5.0
    inventory.client.cache_clear()
    sandbox.switches.update({"latency_ms": 50})
    orders, [one] = orders_of_their_own(sandbox, 8), [order_of(mine=1)]
    sandbox.store.set_stock({"mine": 1})
    lifecycle.confirm_many([each.pk for each in orders], actor=OPERATOR)

    thread = worker()
    begun = time.monotonic()
    assert lifecycle.confirm(one.pk, actor=OPERATOR).status == "CONFIRMED"
    assert time.monotonic() - begun < 2
    thread.join()


def test_only_two_threads_of_a_process_take_several(sandbox: Sandbox) -> None:
    """What a killed process leaves in flight is to be seen to by people."""
    orders = orders_of_their_own(sandbox, 3, products=1)
    lifecycle.confirm_many([each.pk for each in orders], actor=OPERATOR)
    with advancing._several, advancing._several:
        assert lifecycle.advance_due()
    assert sorted(statuses(orders)) == ["CONFIRMED", "PENDING", "PENDING"]
    assert lifecycle.advance_due()
    assert statuses(orders) == ["CONFIRMED"] * 3
