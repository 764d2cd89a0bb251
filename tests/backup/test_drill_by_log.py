"""The restore drill by our own log: what it tells, followed step by step, puts the stock right."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import StockMovement
from orders.status import CancelReason
from tests.backup import databases
from tests.backup.losing import (
    STOCK,
    advance_all,
    being_given_back,
    confirmed,
    give_back,
    reconciled,
    settle,
    under_way,
)
from tests.commands.running import run
from tests.factories import OPERATOR, order_of, stock
from tests.logged import logged

pytestmark = pytest.mark.xdist_group("backup")  # one copy of the migrated database


@contextmanager
def kept(log: Path) -> Iterator[None]:
    """Keep the lines on stock as production writes them; the latest first, as two logs may mix."""
    with ExitStack() as stack:
        loggers = ("orders.stock.sending", "orders.stock.steps", "orders.outgoing")
        written = [stack.enter_context(logged(name)) for name in loggers]
        yield
    lines = [json.dumps(line) for logger in reversed(written) for line in reversed(logger)]
    log.write_text("".join(f"web1-1  | {line}\n" for line in lines))


def explained(since: str, log: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        run("explain_drift", "--since", since, str(log), "--json").out
    )["forgotten"]
    return found


def test_what_the_log_tells_is_undone_and_nothing_is_lost(
    shop: str, sandbox: Sandbox, folder: Path, settings: Settings
) -> None:
    settings.INVENTORY_SOLE_WRITER = True
    sandbox.store.set_stock(STOCK)
    waiting, changed_its_mind, hidden, in_doubt = (
        *(order_of(p10=5), order_of(p13=1)),
        *(order_of(p3=5), order_of(p9=1)),
    )
    found_out = order_of(p10=2)
    held = confirmed(p5=4)
    given_back = being_given_back(p4=2)
    planned, claimed = under_way("planned", p9=2), under_way("claimed", p11=6)
    sandbox.faults.script("429", product_id="7")
    refused = lifecycle.confirm(order_of(p7=3, p16=6).pk, actor=OPERATOR, hold=0.5)
    assert stock(sandbox)["16"] == 2  # it is being confirmed, and has what is scarcest
    dump = json.loads(run("backup_db", "--to", str(folder), "--json").out)["file"]
    since = timezone.now().isoformat()

    log = folder / "stock.log"
    with kept(log):
        lifecycle.confirm(waiting.pk, actor=OPERATOR)
        lifecycle.confirm(changed_its_mind.pk, actor=OPERATOR)
        lifecycle.cancel(changed_its_mind.pk, actor=OPERATOR, reason=CancelReason.CUSTOMER)
        lifecycle.cancel(held.pk, actor=OPERATOR, reason=CancelReason.CUSTOMER)
        lifecycle.confirm(hidden.pk, actor=OPERATOR)
        give_back(sandbox, "3", 5)  # a delivery, which hides it
        run("accept_stock", "3", "48", "--note", "a delivery")
        give_back(sandbox, "7", -28)
        run("accept_stock", "7", "2", "--note", "they were broken", "--looked-up")
        lost = confirmed(p10=1, p13=3)
        sandbox.faults.script("reset_after", product_id="10")
        lifecycle.confirm(found_out.pk, actor=OPERATOR, hold=0.5)
        settle()
        sandbox.faults.script("reset_after", product_id="9")
        lifecycle.confirm(in_doubt.pk, actor=OPERATOR, hold=0.5)
    refused.refresh_from_db()
    assert (refused.status, refused.stock_state) == ("PENDING", "short")
    doubt = StockMovement.objects.get(confirmation__order=in_doubt)
    assert doubt.state == "unknown"
    after = stock(sandbox)

    connection.close()
    databases.create(shop)
    run("restore_db", dump)
    found = explained(since, log)

    assert [
        (each["product_id"], each["order"], each["stands"], each["delta"]) for each in found
    ] == [
        ("10", waiting.pk, "is PENDING", -5),
        ("10", found_out.pk, "is PENDING", -2),
        ("10", lost.pk, "is not there", -1),
        ("11", claimed.pk, "is being confirmed", -6),
        ("13", changed_its_mind.pk, "is PENDING", 0),
        ("13", lost.pk, "is not there", -3),
        ("16", refused.pk, "is being confirmed", 6),
        ("3", hidden.pk, "is PENDING", -5),
        ("4", given_back.pk, "is giving back", 2),
        ("5", held.pk, "is CONFIRMED", 4),
        ("9", in_doubt.pk, "is PENDING", None),
        ("9", planned.pk, "is being confirmed", -2),
    ]
    # Each is undone as it says. What nobody found out is looked up first.
    for each in found:
        step, delta = each["next_step"], each["delta"]
        if step.startswith(("give", "take")) and each["stands"] != "is not there":
            assert f"{abs(delta)} " in step
            give_back(sandbox, each["product_id"], -delta)
        elif delta is None:
            assert each["movements"] == [str(doubt.pk)]
            assert sandbox.store.knows_key(str(doubt.pk))
            give_back(sandbox, "9", 1)
    # What is left: goods of an order that nobody enters again, a delivery, and what was broken.
    # And the ledger has no word on what had never moved.
    code, violations = reconciled("--since", since)
    assert (code, set(violations)) == (1, {"10", "13", "3", "7", "9", "11"})
    run("accept_stock", "10", "44", "--note", "lost goods")
    run("accept_stock", "13", "47", "--note", "lost goods")
    run("accept_stock", "3", "53", "--note", "a delivery")
    run("accept_stock", "7", "2", "--note", "they were broken", "--looked-up")
    run("accept_stock", "9", "20", "--note", "as before", "--looked-up")
    run("accept_stock", "11", "60", "--note", "as before", "--looked-up")
    assert reconciled("--since", since) == (2, {})
    advance_all()
    for order in (waiting, hidden, found_out, in_doubt):
        lifecycle.confirm(order.pk, actor=OPERATOR)
    lifecycle.cancel(held.pk, actor=OPERATOR, reason=CancelReason.CUSTOMER)
    assert reconciled("--since", since) == (0, {})
    assert stock(sandbox) == after
    assert explained(timezone.now().isoformat(), log) == []


def test_key_that_the_worker_sends_again_is_not_undone(
    shop: str, sandbox: Sandbox, folder: Path, settings: Settings
) -> None:
    settings.INVENTORY_SOLE_WRITER = settings.INVENTORY_HONOURS_IDEMPOTENCY = True
    sandbox.switches.update({"honours_idempotency": True})
    sandbox.store.set_stock({"9": 20, "10": 45})
    order, waiting = under_way("claimed", p9=2), order_of(p10=5)
    dump = json.loads(run("backup_db", "--to", str(folder), "--json").out)["file"]
    since = timezone.now().isoformat()
    with kept(folder / "stock.log"):
        advance_all()
        lifecycle.confirm(waiting.pk, actor=OPERATOR)
    after = stock(sandbox)
    connection.close()
    databases.create(shop)
    run("restore_db", dump)

    given_back, known = explained(since, folder / "stock.log")
    assert given_back["next_step"] == "give 5 back in the inventory: confirming takes them again"
    assert known["order"] == order.pk
    assert known["next_step"].startswith("the worker sends the same key")
    give_back(sandbox, "10", 5)
    run("accept_stock", "9", "18", "--note", "its key is known", "--looked-up")
    advance_all()
    lifecycle.confirm(waiting.pk, actor=OPERATOR)
    assert reconciled("--since", since) == (0, {})
    assert stock(sandbox) == after
