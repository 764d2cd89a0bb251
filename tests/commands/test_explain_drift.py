"""``manage.py explain_drift``: its words, and when it has nothing to go by.

That its steps put the stock right is tests/backup/test_drill_by_log.py.
"""

import io
import json
import os
import subprocess
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from django.core.management import CommandError

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Order, StockMovement
from orders.status import CancelReason
from tests.commands.running import run
from tests.factories import OPERATOR, order_of
from tests.processes import MANAGE, ROOT, database_url

pytestmark = pytest.mark.usefixtures("committed_db")

SINCE = "2025-01-06T10:00:00Z"
KNOWN = "Changes that the log tells of since then: 1; the ledger knows them all."
Moved = Callable[..., str]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "stock.log"


@pytest.fixture
def moved(log: Path) -> Moved:
    """Write a line of a change that the ledger does not know; return how it is named."""

    def write(order: int, product: str, delta: int, movement: uuid.UUID | None = None) -> str:
        key = str(movement or uuid.uuid4())
        line = {
            "event": "stock_moved",
            "timestamp": "2025-01-06T10:05:00Z",
            "order": order,
            "movement": key,
            "product": product,
            "quantity": delta,
        }
        with log.open("a") as lines:
            lines.write(json.dumps(line) + "\n")
        return f"movement:{key}"

    return write


def explained(log: Path) -> list[str]:
    return run("explain_drift", "--since", SINCE, str(log)).out.splitlines()


def test_words_name_what_was_done_and_what_undoes_it(log: Path, moved: Moved) -> None:
    waiting = order_of(p10=6).pk
    first, second = moved(waiting, "10", -4), moved(waiting, "10", -2)
    gone = moved(777, "10", -1)
    assert explained(log) == [
        f"product 10: order #777 is not there, and took 1 ({gone})",
        "  → give 1 back in the inventory if it will be entered again; if its goods have left for"
        " good, accept",
        f"product 10: order #{waiting} is PENDING, and took 6 ({first}, {second})",
        "  → give 6 back in the inventory: confirming takes them again",
        "Changes that the log tells of since then: 3; the ledger has forgotten -7 of product 10.",
    ]


def completed(order: Order) -> None:
    lifecycle.confirm(order.pk, actor=OPERATOR)
    lifecycle.complete(order.pk, actor=OPERATOR)


def cancelled(order: Order) -> None:
    lifecycle.cancel(order.pk, actor=OPERATOR, reason=CancelReason.CUSTOMER)


def confirmed(order: Order) -> None:
    lifecycle.confirm(order.pk, actor=OPERATOR)


def left_alone(order: Order) -> None:
    pass


@pytest.mark.parametrize(
    ("stands", "delta"),
    [
        *((completed, -2), (completed, 2), (cancelled, -2), (cancelled, 2)),
        *((confirmed, -2), (left_alone, 2)),
    ],
)
def test_change_that_no_such_order_makes_is_to_be_looked_up(
    sandbox: Sandbox, log: Path, moved: Moved, stands: Callable[[Order], None], delta: int
) -> None:
    """So a line is lacking, and nobody is told to undo what may be right."""
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    stands(order)
    moved(order.pk, "10", delta)
    assert explained(log)[1] == (
        f"  → look for 'order:{order.pk} ' in the inventory's log: an order that stands so has"
        " changes without a line here"
    )


def test_change_that_the_ledger_knows_is_none(sandbox: Sandbox, log: Path, moved: Moved) -> None:
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    lifecycle.confirm(order.pk, actor=OPERATOR)
    moved(order.pk, "10", -2, StockMovement.objects.get().pk)
    assert explained(log) == [KNOWN]


@pytest.mark.parametrize("state", ["sent", "unknown", "review"])
def test_change_that_was_on_its_way_is_the_ledger_s_to_find_out(
    sandbox: Sandbox, log: Path, moved: Moved, state: str
) -> None:
    sandbox.store.set_stock({"10": 45})
    sandbox.faults.script("reset_after")
    order = order_of(p10=2)
    lifecycle.confirm(order.pk, actor=OPERATOR, hold=0.5)
    StockMovement.objects.update(state=state)
    moved(order.pk, "10", -2, StockMovement.objects.get().pk)
    assert explained(log) == [KNOWN]


def test_many_changes_are_looked_up_in_parts(log: Path, moved: Moved) -> None:
    for number in range(1, 2502):
        moved(number, "10", -1)
    found = json.loads(run("explain_drift", "--since", SINCE, str(log), "--json").out)
    assert len(found["forgotten"]) == 2501
    assert datetime.fromisoformat(found["first"]).minute == 5


def test_log_comes_by_stdin_too(log: Path, moved: Moved, monkeypatch: pytest.MonkeyPatch) -> None:
    moved(777, "10", -1)
    monkeypatch.setattr("sys.stdin", io.StringIO(log.read_text()))
    assert "order #777" in run("explain_drift", "--since", SINCE).out


def test_log_that_begins_too_late_says_so(log: Path, moved: Moved) -> None:
    moved(777, "10", -1)
    outcome = run("explain_drift", "--since", SINCE, str(log))
    assert outcome.code == 0
    assert outcome.err.startswith("The log begins at 2025-01-06T10:05:00+00:00, after TIME:")
    assert run("explain_drift", "--since", "2025-01-06T10:05:00Z", str(log)).err == ""


def test_file_that_is_no_log_of_ours_is_refused(log: Path) -> None:
    """Else it would say that the ledger knows everything."""
    log.write_text("2026-11-26 10:05 stock_moved, in a form for people\n")
    with pytest.raises(CommandError, match="No line of our log"):
        run("explain_drift", "--since", SINCE, str(log))
    with pytest.raises(CommandError, match=r"nowhere\.log: No such file"):
        run("explain_drift", "--since", SINCE, str(log.with_name("nowhere.log")))
    with pytest.raises(CommandError, match="is yet to come"):
        run("explain_drift", "--since", "2099-01-01", str(log))


def test_lines_of_a_real_process_are_read(sandbox: Sandbox, log: Path) -> None:
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    with log.open("w") as lines:
        subprocess.run(
            [*MANAGE, "confirm_orders", str(order.pk)],
            cwd=ROOT,
            env=os.environ
            | {
                "DATABASE_URL": database_url(),
                "INVENTORY_SERVICE_URL": sandbox.url,
                "LOG_FORMAT": "json",
                "LOG_LEVEL": "INFO",
            },
            stderr=lines,
            check=True,
        )
    assert explained(log) == [KNOWN]
    StockMovement.objects.update(state="planned")  # as a backup of a moment before has it
    assert explained(log)[0].startswith(f"product 10: order #{order.pk} is CONFIRMED, and took 2 (")
