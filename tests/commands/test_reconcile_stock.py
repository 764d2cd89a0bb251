"""``reconcile_stock``: clean books stay clean, and each broken invariant is found and named."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.management.commands.reconcile_stock import Command
from orders.models import Confirmation, Order, StockMovement
from orders.stock import ledger, reconcile
from tests import factories
from tests.commands.running import Outcome, run
from tests.factories import OPERATOR, order_of
from tests.processes import ROOT

pytestmark = pytest.mark.usefixtures("committed_db")


def report(*arguments: str) -> tuple[int, list[tuple[str, str, str | None]]]:
    """Return the exit code, and invariant, severity and product of each finding."""
    outcome = run("reconcile_stock", "--json", *arguments)
    document: dict[str, Any] = json.loads(outcome.out)
    assert document["exit_code"] == outcome.code
    return outcome.code, [
        (each["invariant"], each["severity"], each["product_id"]) for each in document["findings"]
    ]


@pytest.fixture
def confirmed(sandbox: Sandbox) -> Order:
    """A CONFIRMED order of two products, one of them at two prices."""
    sandbox.store.set_stock({"10": 45, "9": 5})
    order = order_of(p10=2, p9=1)
    order.items.create(product_id="10", quantity=3, unit_price=40)
    return lifecycle.confirm(order.pk, actor=OPERATOR)


def test_reconcile_after_every_kind_of_end_is_clean(sandbox: Sandbox, confirmed: Order) -> None:
    lifecycle.complete(confirmed.pk, actor=OPERATOR)
    cancelled = order_of(p10=4)
    lifecycle.confirm(cancelled.pk, actor=OPERATOR)
    lifecycle.cancel(cancelled.pk, actor=OPERATOR)
    short = order_of(p10=999)
    run("confirm_orders", str(short.pk))
    order_of(p9=1)

    assert run("reconcile_stock") == Outcome(0, "clean\n", "")
    assert report() == (0, [])


def test_reconcile_while_a_confirmation_runs_is_unsettled(sandbox: Sandbox) -> None:
    lifecycle.confirm(order_of(p10=2).pk, actor=OPERATOR, hold=0)
    assert report() == (2, [("I7", "unsettled", None)])


def test_reconcile_of_a_confirmation_that_nobody_wakes_asks_for_a_worker(sandbox: Sandbox) -> None:
    order = lifecycle.confirm(order_of(p10=2).pk, actor=OPERATOR, hold=0)
    Confirmation.objects.update(wake_at="2020-01-01T00:00Z")

    outcome = run("reconcile_stock")

    assert outcome.code == 2
    assert outcome.out.startswith(f"unsettled I7 #{order.pk}: running for 0 s, and nobody has")
    assert "start a worker (manage.py worker)" in outcome.out


def test_reconcile_with_a_movement_in_review_names_what_to_look_for(sandbox: Sandbox) -> None:
    order = lifecycle.confirm(order_of(p10=2).pk, actor=OPERATOR, hold=0)
    StockMovement.objects.update(state="review", before_quantity=45, after_quantity=40)
    Order.objects.update(stock_state="review")

    outcome = run("reconcile_stock")

    movement = StockMovement.objects.get()
    assert outcome.code == 2
    assert outcome.out.splitlines() == [
        f"review I7 #{order.pk}, product 10: nobody can tell whether -2 was applied:"
        " stock was 45, then 40",
        f"  → look for 'movement:{movement.pk}' in the inventory's log, then decide:"
        f" manage.py resolve_stock {movement.pk}",
        "note I3 product 10: not compared with the inventory: it is moving, or waits for a review"
        f" (order:{order.pk} movement:{movement.pk})",
        "  → run this again when it is quiet; after a restore undo in the inventory what else it"
        " has done with it since then (docs/backups.md)",
        "1 review, 1 note",
    ]


Damage = Callable[[Order], Any]


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (
            lambda order: order.items.filter(product_id="9").update(quantity=2),
            [("I4", "violation", "9")],
        ),
        (
            lambda order: StockMovement.objects.filter(product_id="9").update(state="void"),
            [("I4", "violation", "9")],
        ),
        (
            lambda order: StockMovement.objects.filter(product_id="9").update(state="unknown"),
            [("I4", "violation", "9"), ("I7", "violation", "9"), ("I3", "note", "9")],
        ),
        (
            lambda order: Order.objects.update(status="CANCELLED"),
            [
                ("I5", "violation", "10"),
                ("I5", "violation", "9"),
                ("I9", "violation", None),
            ],
        ),
        (
            lambda order: StockMovement.objects.create(
                confirmation=order.confirmations.get(),
                product_id="9",
                delta=7,
                reverses=order.confirmations.get().movements.get(product_id="9"),
                state="rejected",
            ),
            [("I6", "violation", "9")],
        ),
        (
            lambda order: Confirmation.objects.update(state="rejected"),
            [("I9", "violation", None)],
        ),
        (
            lambda order: Order.objects.update(stock_state="settling"),
            [("stock_state", "violation", None)],
        ),
        (
            lambda order: Order.objects.update(stock_state="short"),
            [("stock_state", "violation", None)],
        ),
    ],
    ids=["I4-more", "I4-less", "I7-open", "I5", "I6", "I9", "settling", "short"],
)
def test_reconcile_finds_each_broken_invariant(
    confirmed: Order, damage: Damage, found: list[tuple[str, str, str | None]]
) -> None:
    damage(confirmed)
    assert report() == (1, found)


def test_reconcile_of_one_product_leaves_the_others_out(confirmed: Order) -> None:
    confirmed.items.update(quantity=7)
    assert report("--product", "9") == (1, [("I4", "violation", "9")])
    assert report("--product", "404") == (0, [])


def test_reconcile_of_one_product_keeps_what_is_about_its_orders(confirmed: Order) -> None:
    """An order that settles has no product in its finding, and still is not clean."""
    unsettled = order_of(p10=1)
    ledger.open_confirmations([unsettled.pk], actor="system", via="api")
    Order.objects.filter(pk=unsettled.pk).update(stock_state="settling")

    assert report("--no-inventory", "--product", "10") == (2, [("I7", "unsettled", None)])
    assert report("--no-inventory", "--product", "9") == (0, [])


def test_reconcile_in_many_parts_finds_the_same(
    confirmed: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        order_of(p10=1)
    Order.objects.update(stock_state="settling")
    monkeypatch.setattr(reconcile, "ORDERS_A_PART", 2)

    assert len(reconcile.parts(ask_inventory=False)) == 3
    assert report("--no-inventory") == (1, [("stock_state", "violation", None)] * 6)


def test_reconcile_after_numbers_were_skipped_has_no_parts_for_them(
    sandbox: Sandbox, confirmed: Order
) -> None:
    """`restore_db --skip-numbers` may skip a trillion."""
    far = factories.order(number=10**12, stock_state="settling")
    parts = reconcile.parts(ask_inventory=False)
    assert len(parts) == 2
    assert [each.order for part in parts for each in part()] == [far.pk]


def test_reconcile_takes_as_many_statements_for_many_orders_as_for_one(sandbox: Sandbox) -> None:
    counts = []
    for orders in (1, 12):
        names = [f"r{orders}n{each}" for each in range(orders)]
        sandbox.store.set_stock(dict.fromkeys(names, 5))
        for name in names:
            lifecycle.confirm(order_of("5.00", **{name: 1}).pk, actor=OPERATOR, hold=5)
        with CaptureQueriesContext(connection) as asked:
            assert run("reconcile_stock").code == 0
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 20


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--since", "yesterday"], "no time like"),
        (["--sinse", "2026-11-26"], "unrecognized"),
        (["--product"], "expected one argument"),
    ],
)
def test_reconcile_that_is_mistyped_is_not_unsettled(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        Command().run_from_argv(["manage.py", "reconcile_stock", *arguments])
    assert exit_.value.code == 3
    assert why in capsys.readouterr().err


def test_reconcile_asked_for_help_gives_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        Command().run_from_argv(["manage.py", "reconcile_stock", "--help"])
    assert not exit_.value.code
    assert "3 could not run, or not to its end" in " ".join(capsys.readouterr().out.split())


def test_reconcile_without_a_database_is_neither_clean_nor_a_violation() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "reconcile_stock"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert "CommandError: The database: " in done.stderr
