"""``reconcile_stock --since``: what the inventory has changed that a restored ledger forgot."""

from collections.abc import Callable, Iterator
from datetime import timedelta
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
from tests.commands.running import drifts, run
from tests.factories import OPERATOR, order_of

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def order(sandbox: Sandbox) -> Order:
    """A CONFIRMED order that left 43 of product 10 and 4 of product 9."""
    sandbox.store.set_stock({"10": 45, "9": 5})
    return lifecycle.confirm(order_of(p10=2, p9=1).pk, actor=OPERATOR)


@pytest.mark.parametrize("sole", [False, True])
def test_reconcile_since_a_moment_that_can_not_read_everything_could_not_run(
    sandbox: Sandbox, order: Order, settings: Settings, sole: bool
) -> None:
    """Who goes on after a restore must not take it for unsettled, nor what was found for all."""
    settings.INVENTORY_SOLE_WRITER = sole
    since = timezone.now().isoformat()
    sandbox.store.set_stock({"10": 50})
    for _ in range(drift.ROUNDS):
        sandbox.faults.script(fault="500_before", operation="read", product_id="9")
    unread = ("unread", "9", "not compared, the inventory can't be read (server_error): 1 products")
    drifted = f"order #{order.pk} left 43 in stock, and the inventory has 50 (+7)"
    assert drifts("--since", since) == (3, [("violation", "10", drifted), unread])

    sandbox.switches.update({"down": "503"})
    outcome = run("reconcile_stock", "--since", since)
    assert outcome.code == 3
    assert outcome.out.splitlines()[-1] == (
        "2 unread, and there may be more: not all could be looked at"
    )


def test_reconcile_since_a_moment_notes_what_two_changes_left_as_it_was(
    sandbox: Sandbox, order: Order
) -> None:
    """A lost order took five, and five were delivered: who confirms it again takes them twice."""
    since = timezone.now().isoformat()
    assert drifts("--since", since) == (0, [])
    sandbox.store.set_stock({"10": 38})
    sandbox.store.set_stock({"10": 43})

    code, ((severity, product, what),) = drifts("--since", since)
    assert (code, severity, product) == (0, "note", "10")
    assert what.startswith("the inventory has 43, as expected, and changed it at ")
    assert drifts() == (0, [])
    assert drifts("--since", timezone.now().isoformat()) == (0, [])

    # Once it is accepted, somebody has looked.
    sandbox.store.set_stock({"10": 48})
    run("accept_stock", "10", "48", "--note", "a delivery")
    assert drifts("--since", since) == (0, [])


def test_reconcile_since_a_moment_notes_nothing_that_the_ledger_itself_did(
    sandbox: Sandbox, order: Order
) -> None:
    """Of the minute before the backup: who undid what the ledger knows would have it twice."""
    since = (timezone.now() - timedelta(minutes=1)).isoformat()
    assert drifts("--since", since) == (0, [])
    lifecycle.confirm(order_of(p10=2).pk, actor=OPERATOR)
    assert drifts("--since", since) == (0, [])
    sandbox.store.set_stock({"10": 40})
    sandbox.store.set_stock({"10": 41})
    assert len(drifts("--since", since)[1]) == 1


@pytest.fixture
def unmoved(sandbox: Sandbox, order: Order) -> str:
    """A moment; since then product 7 has changed, which somebody ordered and nobody confirmed."""
    sandbox.store.set_stock({"7": 5, "8": 6})
    order_of(p7=1)
    order_of(p8=1)
    since = timezone.now().isoformat()
    sandbox.store.set_stock({"7": 4})
    return since


def test_reconcile_since_a_moment_finds_what_changed_and_the_ledger_never_moved(
    sandbox: Sandbox, unmoved: str
) -> None:
    sandbox.store.set_stock({f"new {number}": 1 for number in range(120)})  # three pages
    code, found = drifts("--since", unmoved)
    assert code == 1
    assert {severity for severity, _, _ in found} == {"violation"}
    assert {product for _, product, _ in found} == {"7", *(f"new {n}" for n in range(120))}
    assert len(found) == 121
    assert drifts("--since", unmoved, "--product", "7")[1][0][2].endswith("; it has 4")
    assert drifts("--since", unmoved, "--product", "8") == (0, [])
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
    order_of("50.00", **{"no/such/product": 1})  # which nobody can ask for
    no_list = (
        "unread",
        None,
        "products that the ledger never moved were not all looked at: this dialect has no list of"
        " products",
    )
    code, found = drifts("--since", unmoved)
    assert (code, found[0]) == (3, no_list)
    assert [product for _, product, _ in found] == [None, "7"]
    # Whoever names a product has it looked at, though nobody ordered it.
    code, ((severity, product, _),) = drifts("--since", unmoved, "--product", "new")
    assert (code, severity, product) == (1, "violation", "new")
    assert drifts("--since", unmoved, "--product", "10") == (0, [])
    assert drifts("--since", unmoved, "--product", "gone") == (0, [])

    sandbox.faults.script(fault="500_before", operation="read", product_id="77")
    code, found = drifts("--since", unmoved)
    assert code == 3
    assert [(severity, product) for severity, product, _ in found] == [
        ("unread", None),
        ("violation", "7"),
        ("unread", None),
    ]
    assert drifts("--since", unmoved, "--product", "7")[0] == 1


@pytest.mark.parametrize(
    ("level", "said"),
    [
        (StockLevel("7", 4, None), "does not tell when it changed 1 of them"),
        (StockLevel("7", 4, "yesterday"), "does not tell when it changed 1 of them"),
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
    assert (code, severity, product) == (3, "unread", None)
    assert what.endswith(f"were not all looked at: the inventory {said}")


def test_reconcile_since_a_moment_leaves_out_what_was_sent(sandbox: Sandbox, unmoved: str) -> None:
    other = order_of(p7=1)
    lifecycle.confirm(other.pk, actor=OPERATOR, hold=0)
    theirs = StockMovement.objects.filter(confirmation__order=other)
    for state in ("planned", "claimed"):
        theirs.update(state=state)
        said = run("reconcile_stock", "--since", unmoved).out
        assert "product 7: the ledger never moved it" in said
        yet = f"order #{other.pk} is yet to take 1 (movement:{theirs.get().pk})"
        assert f"; it has 4; {yet}\n" in said
        assert "undo that first" in said
    theirs.update(state="sent", sent_at=timezone.now())
    said = run("reconcile_stock", "--since", unmoved).out
    assert "never moved it" not in said
    assert "product 7: not compared with the inventory: it is moving" in said


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
