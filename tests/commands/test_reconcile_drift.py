"""``reconcile_stock`` beside the inventory: what differs, and what only seems to."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError
from django.utils import timezone
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Order, StockMovement
from orders.stock.reconcile import drift
from orders.stock.reconcile.positions import positions
from tests.commands.running import drifts, run
from tests.factories import OPERATOR, order_of

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def order(sandbox: Sandbox) -> Order:
    """A CONFIRMED order that left 43 of product 10 and 4 of product 9."""
    sandbox.store.set_stock({"10": 45, "9": 5})
    return lifecycle.confirm(order_of(p10=2, p9=1).pk, actor=OPERATOR)


@pytest.mark.parametrize(("sole", "expected"), [(False, (0, "note")), (True, (1, "violation"))])
def test_reconcile_after_an_outside_change_notes_it_or_calls_it_a_violation(
    sandbox: Sandbox, order: Order, settings: Settings, sole: bool, expected: tuple[int, str]
) -> None:
    settings.INVENTORY_SOLE_WRITER = sole
    sandbox.store.set_stock({"10": 50, "9": None})
    code, severity = expected

    assert drifts() == (
        code,
        [
            (severity, "10", f"order #{order.pk} left 43 in stock, and the inventory has 50 (+7)"),
            (
                severity,
                "9",
                f"order #{order.pk} left 4 in stock, and the inventory knows no such product",
            ),
        ],
    )
    assert drifts("--no-inventory") == (0, [])
    assert len(drifts("--product", "9")[1]) == 1


def test_reconcile_with_notes_only_is_clean_in_words(sandbox: Sandbox, order: Order) -> None:
    sandbox.store.set_stock({"10": 50})
    outcome = run("reconcile_stock")
    assert outcome.code == 0
    first, advice, last = outcome.out.splitlines()
    assert first.startswith("note I3 product 10: ")
    assert advice.startswith("  → nothing, if somebody restocked; else look in the inventory's log")
    assert last == "clean, 1 note"


def test_reconcile_counts_on_from_the_last_stock_that_was_read(
    sandbox: Sandbox, order: Order
) -> None:
    """A person decided a later movement without a reading of the stock after it."""
    lifecycle.confirm(order_of(p10=3).pk, actor=OPERATOR)
    StockMovement.objects.filter(delta=-3).update(after_quantity=None)
    assert drifts() == (0, [])


def test_reconcile_of_a_product_in_flight_does_not_compare_it(
    sandbox: Sandbox, order: Order, settings: Settings
) -> None:
    other = order_of(p9=1)
    lifecycle.confirm(other.pk, actor=OPERATOR, hold=0)
    put(other, "sent")
    sandbox.store.set_stock({"9": 77})

    outcome = run("reconcile_stock")

    assert outcome.code == 2  # for the confirmation that runs
    assert "note I3 product 9: not compared with the inventory: it is moving" in outcome.out
    (movement,) = StockMovement.objects.filter(confirmation__order=other)
    assert f"(order:{other.pk} movement:{movement.pk})" in outcome.out
    assert "the inventory has" not in outcome.out


def put(order: Order, state: str) -> None:
    """Have an order's movements got somewhere."""
    theirs = StockMovement.objects.filter(confirmation__order=order)
    theirs.update(state=state, sent_at=timezone.now() if state == "sent" else None)


def test_reconcile_of_a_claimed_product_compares_it_for_nothing_was_sent(
    sandbox: Sandbox, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its holder may be long gone; and if it is not, what it sends now is seen."""
    other = order_of(p9=1)
    lifecycle.confirm(other.pk, actor=OPERATOR, hold=0)
    put(other, "claimed")
    sandbox.store.set_stock({"9": 3})
    assert "left 4 in stock, and the inventory has 3 (-1)" in run("reconcile_stock").out

    see: Callable[..., Any] = drift._stocks

    def see_late(products: Any) -> Any:
        put(other, "sent")
        return see(products)

    monkeypatch.setattr(drift, "_stocks", see_late)
    assert "not compared with the inventory: it is moving" in run("reconcile_stock").out


def test_reconcile_of_a_product_that_moves_while_it_looks_finds_nothing(
    sandbox: Sandbox, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another order is confirmed between the look at the ledger and that at the inventory."""
    see: Callable[..., Any] = drift._stocks
    late = order_of(p10=5)

    def see_late(products: Any) -> Any:
        lifecycle.confirm(late.pk, actor=OPERATOR)
        return see(products)

    monkeypatch.setattr(drift, "_stocks", see_late)
    assert drifts() == (0, [])

    # The control: who does not look at the ledger again takes the movement for a drift.
    later = order_of(p10=5)
    stale = positions(["10"])
    monkeypatch.setattr(drift, "positions", lambda products: {k: stale[k] for k in products})
    monkeypatch.setattr(drift, "moved_products", lambda among: ["10"])
    lifecycle.confirm(later.pk, actor=OPERATOR)
    assert [severity for severity, _, _ in drifts()[1]] == ["note"]


@pytest.mark.parametrize(("sole", "expected"), [(False, (0, "note")), (True, (2, "unsettled"))])
def test_reconcile_without_an_inventory_says_that_it_compared_nothing(
    sandbox: Sandbox, order: Order, settings: Settings, sole: bool, expected: tuple[int, str]
) -> None:
    settings.INVENTORY_SOLE_WRITER = sole
    sandbox.switches.update({"down": "503"})
    text = "not compared, the inventory can't be read (server_error): 2 products"
    assert drifts() == (expected[0], [(expected[1], None, text)])


def test_reconcile_of_a_product_whose_stock_nobody_read_says_so(
    sandbox: Sandbox, order: Order, settings: Settings
) -> None:
    """As when a person decided its only movement, after replays without a proof."""
    settings.INVENTORY_SOLE_WRITER = True
    since = timezone.now().isoformat()
    StockMovement.objects.filter(product_id="10").update(after_quantity=None)
    sandbox.store.set_stock({"10": 7})
    text = "not compared with the inventory: nobody has read what the ledger's movements left"
    assert drifts() == (2, [("unsettled", "10", text)])
    assert drifts("--since", since) == (3, [("unread", "10", text)])
    assert "manage.py accept_stock 10 QUANTITY --note" in run("reconcile_stock").out

    run("accept_stock", "10", "7", "--note", "counted")
    assert drifts("--since", since) == (0, [])
    sandbox.store.set_stock({"10": 8})
    assert drifts()[0] == 1


def test_reconcile_of_a_product_that_was_moved_without_the_mutex_says_so_until_it_is_accepted(
    sandbox: Sandbox, order: Order, settings: Settings
) -> None:
    settings.INVENTORY_SERIALIZE_PRODUCTS = False
    since = timezone.now().isoformat()
    other = lifecycle.confirm(order_of(p10=3).pk, actor=OPERATOR)
    text = (
        "not compared with the inventory: it was moved without the mutex, and nothing can be"
        " expected of it"
    )
    assert drifts("--product", "10") == (0, [("note", "10", text)])
    assert drifts("--product", "10", "--since", since) == (3, [("unread", "10", text)])
    assert "manage.py accept_stock 10 QUANTITY --note" in run("reconcile_stock").out

    theirs = StockMovement.objects.filter(confirmation__order=other)
    theirs.update(state="review")
    with pytest.raises(CommandError, match="is moving, or waits for a review"):
        run("accept_stock", "10", "40", "--note", "x")
    theirs.update(state="applied")
    said = run("accept_stock", "10", "40", "--note", "looked up").out
    assert said == "product 10: 40, where the ledger expected nothing\n"
    assert "expects 40 anyway" in run("accept_stock", "10", "40", "--note", "again").out
    settings.INVENTORY_SOLE_WRITER = True
    assert drifts() == (0, [])
    sandbox.store.set_stock({"10": 41})
    assert drifts()[0] == 1


def test_reconcile_reads_again_what_failed_once(sandbox: Sandbox, order: Order) -> None:
    sandbox.faults.script(fault="500_before", operation="read", product_id="10")
    assert drifts() == (0, [])
