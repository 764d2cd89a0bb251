"""The restore drill: the inventory has done what a restored ledger has forgotten.

What it does after the restore is what docs/backups.md tells an operator to do.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import CommandError
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Confirmation, Order, StockMovement
from orders.status import UNSETTLED_CONFIRMATIONS, MovementState
from tests.backup import databases
from tests.commands.running import run
from tests.factories import OPERATOR, order_of, stock
from tests.stock.deaths import dying

pytestmark = pytest.mark.xdist_group("backup")  # one copy of the migrated database
STOCK = {"3": 48, "4": 50, "5": 40, "7": 30, "9": 20, "10": 45, "11": 60, "13": 50, "16": 8}


@pytest.fixture
def sole_writer(settings: Settings) -> None:
    settings.INVENTORY_SOLE_WRITER = True


def reconciled(*options: str, severity: str = "violation") -> tuple[int, dict[str, str]]:
    """Return the exit code, and the words on each product that a violation is about, or a note."""
    outcome = run("reconcile_stock", "--json", *options)
    found: list[dict[str, Any]] = json.loads(outcome.out)["findings"]
    return outcome.code, {
        each["product_id"]: each["what"] for each in found if each["severity"] == severity
    }


def confirmed(**quantities: Any) -> Order:
    return lifecycle.confirm(order_of(**quantities).pk, actor=OPERATOR)


def under_way(state: str, **quantities: Any) -> Order:
    """Return an order whose confirmation has got no further: it has moved nothing."""
    order, died = order_of(**quantities), Counter[str]()
    if state == "planned":
        lifecycle.confirm(order.pk, actor=OPERATOR, hold=0)
    else:
        with dying("after claim", died):
            lifecycle.confirm(order.pk, actor=OPERATOR)
    (movement,) = StockMovement.objects.filter(confirmation__order=order)
    assert (movement.state, movement.sent_at) == (state, None)
    return order


def yet(to_do: str, order: Order) -> str:
    """Return how a finding names what the worker is yet to do for an order."""
    movement = StockMovement.objects.get(
        confirmation__order=order, state__in=[MovementState.PLANNED, MovementState.CLAIMED]
    )
    return f"order #{order.pk} is yet to {to_do} (movement:{movement.pk})"


def being_given_back(**quantities: Any) -> Order:
    """Return an order that was cancelled, and whose stock is still to be given back."""
    return lifecycle.cancel(confirmed(**quantities).pk, actor=OPERATOR, hold=0)


def give_back(sandbox: Sandbox, product: str, pieces: int) -> None:
    """Do by hand, in the inventory, what undoes there what the ledger does not know."""
    assert asked_to_change(sandbox, product, pieces).status_code == 200


def asked_to_change(sandbox: Sandbox, product: str, pieces: int) -> requests.Response:
    return requests.post(
        f"{sandbox.url}/inventory/items/{product}/adjust",
        json={"quantity": pieces, "reason": "the orders since the backup were lost"},
        timeout=10,
    )


def advance_all() -> None:
    """Do a worker's work, once it is certain that whoever held something is gone."""
    unsettled = Confirmation.objects.filter(state__in=UNSETTLED_CONFIRMATIONS)
    unsettled.update(wake_at=timezone.now())
    StockMovement.objects.filter(state="claimed").update(lease_until=timezone.now())
    while lifecycle.advance_due():
        pass


@pytest.mark.usefixtures("sole_writer")
def test_drill_shows_exactly_what_was_lost_and_the_runbook_resolves_it(
    shop: str, sandbox: Sandbox, folder: Path
) -> None:
    sandbox.store.set_stock(dict(STOCK))
    known = [confirmed(p10=2, p9=1), confirmed(p7=3), confirmed(p5=4), confirmed(p11=1)]
    known.append(confirmed(p3=5))
    waiting, hidden = order_of(p10=5), order_of(p3=5)
    of_4 = being_given_back(p4=2)
    yet_4 = yet("give back 2", of_4)
    yet_9 = yet("take 2", under_way("planned", p9=2))
    yet_11 = yet("take 6", under_way("claimed", p11=6))
    yet_16 = yet("take 3", under_way("claimed", p16=3))  # the first of its product
    assert reconciled() == (2, {})  # four are on their way
    dump = json.loads(run("backup_db", "--to", str(folder), "--json").out)["file"]
    # Not a minute before the backup, as restore_db says it: the stock was filled just now.
    since = timezone.now().isoformat()

    # Eight more are confirmed: two that waited, three that were under way, and three that come. Of
    # products 13 and 16 nothing had moved before. What was cancelled is given back.
    # A delivery hides what one of them took.
    lifecycle.confirm(waiting.pk, actor=OPERATOR)
    lifecycle.confirm(hidden.pk, actor=OPERATOR)
    give_back(sandbox, "3", 5)
    run("accept_stock", "3", "43", "--note", "a delivery")
    advance_all()
    lost = [confirmed(p10=1, p7=4), confirmed(p7=2, p13=3), confirmed(p9=1)]
    assert Order.objects.filter(status="CONFIRMED").count() == len(known) + 8
    assert reconciled() == (0, {})
    after = {"3": 43, "4": 50, "5": 36, "7": 21, "9": 16, "10": 37, "11": 53, "13": 47, "16": 5}
    assert stock(sandbox) == after

    connection.close()
    databases.create(shop)  # what there was is destroyed
    run("restore_db", dump)

    of_10, of_7, of_11 = known[0].pk, known[1].pk, known[3].pk
    code, found = reconciled("--since", since)
    assert code == 1
    for product, has in (("13", "47"), ("16", f"5; {yet_16}")):
        unmoved = found.pop(product)
        assert unmoved.startswith("the ledger never moved it, and the inventory changed it at ")
        assert unmoved.endswith(f"; it has {has}")
    assert found == {
        "4": f"order #{of_4.pk} left 48 in stock, and the inventory has 50 (+2); {yet_4}",
        "10": f"order #{of_10} left 43 in stock, and the inventory has 37 (-6)",
        "7": f"order #{of_7} left 27 in stock, and the inventory has 21 (-6)",
        "9": f"order #{of_10} left 19 in stock, and the inventory has 16 (-3); {yet_9}",
        "11": f"order #{of_11} left 59 in stock, and the inventory has 53 (-6); {yet_11}",
    }

    noted = reconciled("--since", since, severity="note")[1]
    assert [(each, words[:34]) for each, words in noted.items()] == [
        ("3", "the inventory has 43, as expected,")
    ]

    # The runbook. What can be confirmed anew is given back first: confirming takes it again. What
    # is given back anew is taken out first.
    with pytest.raises(CommandError, match=r"yet to give back 2 .*, and 50 become 52"):
        run("accept_stock", "4", "50", "--note", "it is what the inventory has")
    give_back(sandbox, "4", -2)
    give_back(sandbox, "10", 6)
    give_back(sandbox, "9", 3)
    give_back(sandbox, "11", 6)
    give_back(sandbox, "16", 3)
    give_back(sandbox, "3", 5)
    assert set(reconciled("--since", since)[1]) == {"3", "7", "13", "16"}
    # The other goods have left the house, and nobody will enter those orders again.
    why = "parcels of the lost orders 1 and 2 have left"
    said = run("accept_stock", "7", "21", "--note", why).out
    assert said == "product 7: 21, where the ledger expected 27 (-6)\n"
    run("accept_stock", "13", "47", "--note", why)
    run("accept_stock", "3", "48", "--note", "a delivery")
    run("accept_stock", "16", "8", "--note", "its order is under way again", "--looked-up")
    assert reconciled("--since", since) == (2, {})  # what was under way is so again
    # Now the worker may start, and staff confirm again what is PENDING again, or enter it anew.
    advance_all()
    assert reconciled() == (0, {})
    lifecycle.confirm(waiting.pk, actor=OPERATOR)
    lifecycle.confirm(hidden.pk, actor=OPERATOR)
    anew = [confirmed(p10=1), confirmed(p9=1)]

    assert reconciled("--since", since) == (0, {})
    assert run("reconcile_stock").out.strip() == "clean"
    assert stock(sandbox) == after
    assert {each.pk for each in anew}.isdisjoint({each.pk for each in lost})
    confirmed(p7=1)  # and what was accepted is counted on from
    assert reconciled() == (0, {})
    assert why in run("accept_stock").out


@pytest.mark.usefixtures("sole_writer")
@pytest.mark.parametrize("state", ["planned", "claimed"])
def test_drill_whose_worker_starts_before_the_reconciliation_loses_the_evidence(
    shop: str, sandbox: Sandbox, folder: Path, state: str
) -> None:
    """The control: why the runbook's order is what it is."""
    sandbox.store.set_stock(dict(STOCK))
    confirmed(p9=1)
    under_way(state, p9=2)
    being_given_back(p4=2)
    dump = json.loads(run("backup_db", "--to", str(folder), "--json").out)["file"]
    advance_all()
    connection.close()
    databases.create(shop)
    run("restore_db", dump)

    advance_all()

    assert reconciled() == (0, {})
    assert stock(sandbox)["9"] == 20 - 1 - 2 - 2  # taken twice, and nobody knows
    assert stock(sandbox)["4"] == 50 - 2 + 2 + 2  # nor that it was given back twice


@pytest.mark.usefixtures("sole_writer")
@pytest.mark.parametrize("by", ["the worker", "a second cancel"])
@pytest.mark.parametrize("taken_out", [True, False])
def test_drill_where_what_was_given_back_is_sold_takes_it_out_when_it_is_given_back_again(
    shop: str, sandbox: Sandbox, folder: Path, by: str, *, taken_out: bool
) -> None:
    """The control leaves it at what was accepted: two pieces are counted that nobody has."""
    sandbox.store.set_stock({"4": 50})
    order = being_given_back(p4=2) if by == "the worker" else confirmed(p4=2)
    dump = json.loads(run("backup_db", "--to", str(folder), "--json").out)["file"]
    since = timezone.now().isoformat()
    if by != "the worker":
        lifecycle.cancel(order.pk, actor=OPERATOR, hold=5)
    advance_all()
    confirmed(p4=50)  # and its goods have left
    connection.close()
    databases.create(shop)
    run("restore_db", dump)

    assert asked_to_change(sandbox, "4", -2).status_code >= 400
    run("accept_stock", "4", "0", "--note", "a lost order has them", "--looked-up")
    assert not reconciled("--since", since)[1]
    advance_all()
    if by != "the worker":
        lifecycle.cancel(order.pk, actor=OPERATOR, hold=5)
    if taken_out:
        give_back(sandbox, "4", -2)
        run("accept_stock", "4", "0", "--note", "given back twice")

    order.refresh_from_db()
    assert reconciled() == (0, {})
    assert (order.status, order.stock_state) == ("CANCELLED", "clear")
    assert stock(sandbox) == {"4": 0 if taken_out else 2}


@pytest.fixture
def keys(sandbox: Sandbox, settings: Settings, sole_writer: None) -> None:
    settings.INVENTORY_HONOURS_IDEMPOTENCY = True
    sandbox.switches.update({"honours_idempotency": True})


def settle() -> None:
    """Do a worker's work, once it is certain that whoever sent something is gone."""
    for state in (MovementState.SENT, MovementState.UNKNOWN):
        now = timezone.now()
        StockMovement.objects.filter(state=state).update(lease_until=now, settles_at=now)
        advance_all()


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("given_back", [True, False])
def test_drill_where_a_known_key_took_most_gives_back_until_the_worker_is_done(
    shop: str, sandbox: Sandbox, folder: Path, *, given_back: bool
) -> None:
    """The control accepts what is left: the worker, which looks first, does not send the key."""
    sandbox.store.set_stock({"16": 8})
    order = under_way("claimed", p16=6)
    dump = json.loads(run("backup_db", "--to", str(folder), "--json").out)["file"]
    advance_all()
    connection.close()
    databases.create(shop)
    run("restore_db", dump)

    if given_back:
        give_back(sandbox, "16", 6)
    left = "8" if given_back else "2"
    run("accept_stock", "16", left, "--note", "its key is known", "--looked-up")
    advance_all()
    if given_back:
        give_back(sandbox, "16", -6)
        run("accept_stock", "16", "2", "--note", "it was taken before the loss")

    order.refresh_from_db()
    assert reconciled() == (0, {})
    assert stock(sandbox) == {"16": 2}
    assert (order.status, order.stock_state) == (
        ("CONFIRMED", "clear") if given_back else ("PENDING", "short")  # and six are gone
    )


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("undone", [True, False])
def test_drill_where_a_key_is_forgotten_undoes_also_what_was_on_its_way(
    shop: str, sandbox: Sandbox, folder: Path, *, undone: bool
) -> None:
    """The control leaves it, as where the worker reads back: here it sends the key again."""
    sandbox.store.set_stock({"11": 60})
    order, died = order_of(p11=6), Counter[str]()
    with dying("after write-ahead", died):
        lifecycle.confirm(order.pk, actor=OPERATOR)
    dump = json.loads(run("backup_db", "--to", str(folder), "--json").out)["file"]
    settle()
    assert stock(sandbox) == {"11": 54}
    connection.close()
    databases.create(shop)
    run("restore_db", dump)
    sandbox.store.clear()  # its log, and with it what keys it knows
    sandbox.store.set_stock({"11": 60 if undone else 54})

    settle()

    order.refresh_from_db()
    assert order.status == "CONFIRMED"
    assert reconciled() == (0, {})
    assert stock(sandbox) == {"11": 54 if undone else 48}  # taken twice, and nobody knows
