"""``reconcile_stock`` beside the inventory: what differs, and what only seems to."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import CommandError
from django.utils import timezone
from pytest_django.fixtures import Settings

from inventory_client import InventoryClient, StockLevel, Unavailable
from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Order, StockMovement
from orders.stock import inventory
from orders.stock.reconcile import drift
from orders.stock.reconcile.positions import positions
from tests.commands.running import run
from tests.factories import OPERATOR, order_of

pytestmark = pytest.mark.usefixtures("committed_db")


def drifts(*arguments: str) -> tuple[int, list[tuple[str, str | None, str]]]:
    """Return the exit code, and severity, product and text of each finding."""
    outcome = run("reconcile_stock", "--json", *arguments)
    found: list[dict[str, Any]] = json.loads(outcome.out)["findings"]
    assert {each["invariant"] for each in found} <= {"I3"}
    return outcome.code, [(each["severity"], each["product_id"], each["what"]) for each in found]


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
    assert "77" not in outcome.out


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


@pytest.fixture
def unmoved(sandbox: Sandbox, order: Order, settings: Settings) -> str:
    """A moment; since then product 7 has changed, which somebody ordered and nobody confirmed."""
    settings.INVENTORY_SOLE_WRITER = True
    sandbox.store.set_stock({"7": 5, "8": 6})
    order_of(p7=1)
    order_of(p8=1)
    since = timezone.now().isoformat()
    sandbox.store.set_stock({"7": 4})
    return since


def test_reconcile_since_a_moment_finds_what_changed_and_the_ledger_never_moved(
    sandbox: Sandbox, unmoved: str, settings: Settings
) -> None:
    sandbox.store.set_stock({f"new {number}": 1 for number in range(120)})  # three pages
    code, found = drifts("--since", unmoved)
    assert code == 1
    assert {severity for severity, _, _ in found} == {"violation"}
    assert {product for _, product, _ in found} == {"7", *(f"new {n}" for n in range(120))}
    assert len(found) == 121
    assert drifts("--since", unmoved, "--product", "7")[1][0][2].endswith("; it has 4")
    assert drifts("--since", unmoved, "--product", "8") == (0, [])
    settings.INVENTORY_SOLE_WRITER = False
    assert drifts("--since", unmoved)[0] == 0
    assert drifts() == (0, [])


def test_reconcile_since_a_moment_through_the_gateway_looks_at_what_was_ordered(
    sandbox: Sandbox, unmoved: str, settings: Settings
) -> None:
    """It has no list of products."""
    settings.INVENTORY_DIALECT = "gateway"
    settings.INVENTORY_SERVICE_URL = sandbox.gateway_url
    inventory.client.cache_clear()
    sandbox.store.set_stock({"new": 1})
    order_of(p77=1)  # which the inventory does not know
    assert [product for _, product, _ in drifts("--since", unmoved)[1]] == ["7"]


@pytest.mark.parametrize(
    ("level", "said"),
    [
        (StockLevel("7", 4, None, None), "does not tell when it changed 1 of them"),
        (StockLevel("7", 4, "yesterday", None), "does not tell when it changed 1 of them"),
        (Unavailable("timeout"), "can't be read (timeout)"),
    ],
)
def test_reconcile_since_a_moment_says_what_it_could_not_look_at(
    unmoved: str, monkeypatch: pytest.MonkeyPatch, level: StockLevel | Unavailable, said: str
) -> None:
    def levels(_: object) -> Iterator[StockLevel]:
        if isinstance(level, Unavailable):
            raise level
        yield level

    monkeypatch.setattr(InventoryClient, "levels", levels)
    code, ((severity, product, what),) = drifts("--since", unmoved)
    assert (code, severity, product) == (2, "unsettled", None)
    assert what.endswith(f"were not all looked at: the inventory {said}")


def test_reconcile_since_a_moment_leaves_out_what_was_sent(sandbox: Sandbox, unmoved: str) -> None:
    other = order_of(p7=1)
    lifecycle.confirm(other.pk, actor=OPERATOR, hold=0)
    for state in ("planned", "claimed"):
        put(other, state)
        said = run("reconcile_stock", "--since", unmoved).out
        assert "product 7: the ledger never moved it" in said
    put(other, "sent")
    assert "never moved it" not in run("reconcile_stock", "--since", unmoved).out


def test_reconcile_since_a_moment_leaves_out_what_moves_while_it_looks(
    unmoved: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels: Callable[..., Any] = InventoryClient.levels

    def levels_late(client: InventoryClient) -> Iterator[StockLevel]:
        lifecycle.confirm(order_of(p8=1).pk, actor=OPERATOR)
        return iter(list(levels(client)))

    monkeypatch.setattr(InventoryClient, "levels", levels_late)
    assert [product for _, product, _ in drifts("--since", unmoved)[1]] == ["7"]


def test_reconcile_since_no_moment_could_not_run() -> None:
    with pytest.raises(CommandError, match="is no time like"):
        run("reconcile_stock", "--since", "yesterday")
    with pytest.raises(CommandError, match="is yet to come"):
        run("reconcile_stock", "--since", "2226-11-26")
    with pytest.raises(CommandError, match="asks the inventory"):
        run("reconcile_stock", "--since", "2026-11-26", "--no-inventory")


def test_reconcile_reads_again_what_failed_once(sandbox: Sandbox, order: Order) -> None:
    sandbox.faults.script(fault="500_before", operation="read", product_id="10")
    assert drifts() == (0, [])
