"""``accept_stock``: the ledger counts on from what a person has seen, and says who and why."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError
from django.utils import timezone
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Order, StockBaseline, StockMovement
from orders.stock import ledger
from orders.stock.reconcile import accepting
from orders.stock.reconcile.under_way import UnderWay, under_way
from tests.commands.running import run
from tests.factories import OPERATOR, order_of, staff, stock

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def order(sandbox: Sandbox, settings: Settings) -> Order:
    """A CONFIRMED order that left 43 of product 10; since then there have been 50."""
    settings.INVENTORY_SOLE_WRITER = True
    sandbox.store.set_stock({"10": 45, "9": 5})
    confirmed = lifecycle.confirm(order_of(p10=2).pk, actor=OPERATOR)
    sandbox.store.set_stock({"10": 50})
    return confirmed


def accept(*arguments: str) -> str:
    return run("accept_stock", *arguments, "--note", "a delivery").out


def test_accept_has_the_ledger_count_on_from_there_and_moves_nothing(
    sandbox: Sandbox, order: Order
) -> None:
    assert run("reconcile_stock").code == 1
    assert accept("10", "50") == "product 10: 50, where the ledger expected 43 (+7)\n"
    assert stock(sandbox) == {"10": 50, "9": 5}
    assert run("reconcile_stock").code == 0

    lifecycle.confirm(order_of(p10=1).pk, actor=OPERATOR)
    assert run("reconcile_stock").code == 0
    sandbox.store.set_stock({"10": 48})
    said = json.loads(run("reconcile_stock", "--json").out)["findings"][0]["what"]
    assert said.endswith("left 49 in stock, and the inventory has 48 (-1)")


def test_accept_that_is_overtaken_by_a_change_is_a_drift_again(
    sandbox: Sandbox, order: Order
) -> None:
    accept("10", "50")
    sandbox.store.set_stock({"10": 51})
    (found,) = json.loads(run("reconcile_stock", "--json").out)["findings"]
    assert found["what"] == "50 were accepted or have moved since, and the inventory has 51 (+1)"
    assert "manage.py accept_stock 10 51 --note" in found["next_step"]


def test_accept_counts_on_with_a_movement_whose_stock_nobody_read(
    sandbox: Sandbox, order: Order
) -> None:
    accept("10", "50")
    lifecycle.confirm(order_of(p10=3).pk, actor=OPERATOR)
    StockMovement.objects.filter(delta=-3).update(after_quantity=None)
    assert run("reconcile_stock").code == 0


def test_accept_of_a_product_that_the_inventory_no_longer_has_takes_it_for_none(
    sandbox: Sandbox, order: Order
) -> None:
    sandbox.store.set_stock({"10": None})
    (found,) = json.loads(run("reconcile_stock", "--json").out)["findings"]
    assert found["what"].endswith("left 43 in stock, and the inventory knows no such product")
    assert "manage.py accept_stock 10 0 --note" in found["next_step"]
    with pytest.raises(CommandError, match="has 0 of product 10, not 43"):
        accept("10", "43")
    assert accept("10", "0") == "product 10: 0, where the ledger expected 43 (-43)\n"
    assert run("reconcile_stock").code == 0
    sandbox.store.set_stock({"10": 3})
    assert "0 were accepted or have moved since, and the inventory has 3 (+3)" in (
        run("reconcile_stock").out
    )


def test_accept_of_a_product_that_is_gone_and_that_nobody_ever_read_takes_it_for_none(
    sandbox: Sandbox, order: Order
) -> None:
    StockMovement.objects.update(after_quantity=None)
    sandbox.store.set_stock({"10": None})
    assert accept("10", "0") == "product 10: 0, where the ledger expected nothing\n"
    assert run("reconcile_stock").code == 0


def test_accept_twice_accepts_once(order: Order) -> None:
    accept("10", "50")
    assert accept("10", "50") == "product 10: the ledger expects 50 anyway\n"
    assert StockBaseline.objects.count() == 1


def test_accept_of_a_product_that_never_moved_lets_its_drift_be_seen(
    sandbox: Sandbox, order: Order
) -> None:
    assert accept("9", "5") == "product 9: 5, where the ledger expected nothing\n"
    sandbox.store.set_stock({"9": 4})
    assert "product 9: 5 were accepted" in run("reconcile_stock", "--product", "9").out


def test_accept_lists_who_accepted_what_and_why(order: Order) -> None:
    assert run("accept_stock").out == "nothing was accepted\n"
    manager = staff("manager", username="morgan")
    run("accept_stock", "10", "50", "--note", " a delivery ", "--user", "morgan")
    first, second = run("accept_stock").out.splitlines()
    assert first.endswith(f" user:{manager.pk}: product 10: 50, where the ledger expected 43 (+7)")
    assert second == "  a delivery"
    (listed,) = json.loads(run("accept_stock", "--json").out)["accepted"]
    assert (listed["quantity"], listed["expected"], listed["note"]) == (50, 43, "a delivery")


def test_accept_lists_so_many_and_says_that_there_are_more(order: Order) -> None:
    for quantity in range(3):
        StockBaseline.objects.create(product_id="10", quantity=quantity, at=timezone.now())
    assert run("accept_stock", "--limit", "2").out.splitlines()[-1] == "and older ones: see --limit"
    assert len(run("accept_stock", "--limit", "3").out.splitlines()) == 6
    document = json.loads(run("accept_stock", "--json", "--limit", "2").out)
    assert [each["quantity"] for each in document["accepted"]] == [2, 1]
    assert document["more"] is True
    with pytest.raises(CommandError, match="at least 1"):
        run("accept_stock", "--limit", "0")


@pytest.mark.parametrize(
    ("product", "quantity", "refusal"),
    [
        ("10", "51", "has 50 of product 10, not 51"),
        ("77", "0", "Neither the inventory nor the ledger knows a product 77"),
    ],
)
def test_accept_of_what_the_inventory_does_not_say_is_refused(
    order: Order, product: str, quantity: str, refusal: str
) -> None:
    with pytest.raises(CommandError, match=refusal):
        accept(product, quantity)
    assert not StockBaseline.objects.exists()


def test_accept_while_the_inventory_is_down_is_refused(sandbox: Sandbox, order: Order) -> None:
    sandbox.switches.update({"down": "503"})
    with pytest.raises(CommandError, match="does not tell the stock of 10"):
        accept("10", "0")
    assert not StockBaseline.objects.exists()


@pytest.mark.parametrize("state", ["sent", "review"])
@pytest.mark.parametrize("product", ["10", "9"])
def test_accept_of_a_product_that_is_not_quiet_is_refused(
    sandbox: Sandbox, order: Order, product: str, state: str
) -> None:
    other = order_of(p9=1) if product == "9" else order_of(p10=1)
    lifecycle.confirm(other.pk, actor=OPERATOR, hold=0)
    theirs = StockMovement.objects.filter(confirmation__order=other)
    theirs.update(state=state, sent_at=timezone.now())
    with pytest.raises(CommandError, match="is moving, or waits for a review"):
        accept(product, str(stock(sandbox)[product]))


def test_accept_of_a_product_that_is_claimed_is_what_its_movement_counts_on_from(
    sandbox: Sandbox, order: Order
) -> None:
    """As after a restore, where whoever claimed it is long gone, and sent nothing yet."""
    other = order_of(p10=1)
    lifecycle.confirm(other.pk, actor=OPERATOR, hold=0)
    theirs = StockMovement.objects.filter(confirmation__order=other)
    theirs.update(state="claimed", lease_until=timezone.now())
    with pytest.raises(CommandError, match=r"is yet to take 1 .*, and 50 become 49"):
        accept("10", "50")
    accept("10", "50", "--looked-up")
    lifecycle.advance(other.confirmations.get().pk, hold=5)
    assert theirs.get().state == "applied"
    assert stock(sandbox)["10"] == 49
    assert run("reconcile_stock").code == 0


def test_accept_while_the_worker_is_yet_to_move_the_product_wants_somebody_to_have_looked_it_up(
    sandbox: Sandbox, order: Order
) -> None:
    """After a restore it may have been done already, and then is done again."""
    lifecycle.cancel(order.pk, actor=OPERATOR, hold=0)
    planned = StockMovement.objects.get(state="planned").pk
    words = f"order #{order.pk} is yet to give back 2 (movement:{planned})"
    (found,) = [
        each
        for each in json.loads(run("reconcile_stock", "--json").out)["findings"]
        if each["product_id"] == "10"
    ]
    assert found["what"].endswith(f"the inventory has 50 (+7); {words}")
    assert "undo that first" in found["next_step"]
    assert "accept_stock 10 50" not in found["next_step"]
    refusal = rf"{re.escape(words)}, and 50 become 52\..* --looked-up\. Nothing was accepted"
    with pytest.raises(CommandError, match=refusal):
        accept("10", "50")
    assert not StockBaseline.objects.exists()
    # What is expected anyway is nothing to be accepted.
    sandbox.store.set_stock({"10": 43})
    assert accept("10", "43") == "product 10: the ledger expects 43 anyway\n"
    sandbox.store.set_stock({"10": 50})
    accept("10", "50", "--looked-up")
    lifecycle.advance(order.confirmations.get().pk, hold=5)
    assert stock(sandbox)["10"] == 52
    assert run("reconcile_stock").code == 0


TAKES, GIVES_BACK = "is yet to take 2", "is yet to give back 2"


def test_under_way_says_what_the_worker_is_yet_to_do(sandbox: Sandbox, order: Order) -> None:
    other = order_of(p10=2, p9=1)
    lifecycle.confirm(other.pk, actor=OPERATOR, hold=0)
    confirmation = other.confirmations.all()
    of = StockMovement.objects.filter(confirmation__order=other)
    # The confirmation, whether it is to be cancelled, how far it is with 10 and 9; what is next.
    cases = [
        ("running", False, "planned", "planned", TAKES, -2),
        ("running", False, "claimed", "planned", TAKES, -2),
        ("running", True, "planned", "planned", None, 0),
        ("running", False, "planned", "rejected", None, 0),
        ("running", False, "applied", "planned", "gives back 2 if it can't have everything", 0),
        ("running", True, "applied", "planned", GIVES_BACK, 2),
        ("running", False, "applied", "rejected", GIVES_BACK, 2),
        ("reversing", False, "applied", "void", GIVES_BACK, 2),
        ("confirmed", False, "applied", "applied", None, 0),
    ]
    for state, cancelled, ten, nine, words, pieces in cases:
        confirmation.update(state=state, cancel_requested_at=timezone.now() if cancelled else None)
        of.filter(product_id="10").update(state=ten)
        of.filter(product_id="9").update(state=nine)
        by = f" (movement:{of.get(product_id='10').pk})" if words == TAKES else ""
        expected = {"10": UnderWay(f"order #{other.pk} {words}{by}", pieces)} if words else {}
        assert under_way(["10"]) == expected, (state, cancelled, ten, nine)

    confirmation.update(state="reversing")
    back = StockMovement.objects.create(
        confirmation=confirmation.get(), product_id="10", delta=2, reverses=of.get(product_id="10")
    )
    for state in ("planned", "claimed"):
        StockMovement.objects.filter(pk=back.pk).update(state=state)
        words = f"order #{other.pk} {GIVES_BACK} (movement:{back.pk})"
        assert under_way(["10"]) == {"10": UnderWay(words, 2)}
    StockMovement.objects.filter(pk=back.pk).update(state="applied")
    assert under_way(["10"]) == {}


def test_under_way_names_a_few_orders_and_counts_the_others(order: Order) -> None:
    numbers = [order_of(p10=2).pk for _ in range(7)]
    ledger.open_confirmations(numbers, actor="system", via="api")
    found = under_way(["9", "10"])["10"]
    named = [each for each in numbers if f"order #{each} {TAKES} (movement:" in found.words]
    assert named == numbers[:5]
    assert found.words.endswith("), and 2 more")
    assert found.pieces == -14


@pytest.mark.parametrize("late", ["before the reading", "after the reading"])
def test_accept_of_a_product_that_moves_meanwhile_is_refused(
    sandbox: Sandbox, order: Order, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    read: Callable[..., Any] = accepting._read
    other = order_of(p10=5)

    def read_late(product: str) -> int:
        found: int = read(product) if late == "after the reading" else 50
        lifecycle.confirm(other.pk, actor=OPERATOR)
        return found

    monkeypatch.setattr(accepting, "_read", read_late)
    with pytest.raises(CommandError, match="has moved meanwhile"):
        accept("10", "50")
    assert not StockBaseline.objects.exists()


def test_accept_without_a_note_or_the_right_is_refused(order: Order) -> None:
    staff("fulfilment", username="riley")
    with pytest.raises(CommandError, match="riley may not accept stock"):
        run("accept_stock", "10", "50", "--note", "x", "--user", "riley")
    for arguments in (("10", "50"), ("10", "50", "--note", " "), ("10", "--note", "x")):
        with pytest.raises(CommandError, match="To accept, name"):
            run("accept_stock", *arguments)
    with pytest.raises(ValueError, match="note"):
        lifecycle.accept_stock("10", 50, note=" ", actor=OPERATOR)
    assert not StockBaseline.objects.exists()
