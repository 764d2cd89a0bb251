"""``confirm_orders`` and ``complete_orders``."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError
from django.core.management.base import OutputWrapper
from django.db import OperationalError
from django.utils import timezone

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.management.commands import confirm_orders
from orders.management.commands._progress import Progress
from orders.models import Batch, Order, OrderEvent, StockMovement
from tests.commands.running import Outcome, run
from tests.factories import OPERATOR, order, order_of, stock

pytestmark = pytest.mark.usefixtures("committed_db")


def statuses() -> list[str]:
    return list(Order.objects.order_by("pk").values_list("status", flat=True))


def test_confirm_orders_by_number_deducts_and_reports_each_failure(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 5, "9": 3})
    first, short, last = order_of(p10=2), order_of(p9=9), order_of(p10=3)

    outcome = run("confirm_orders", str(first.pk), str(short.pk), str(last.pk), "999")

    assert outcome == Outcome(
        1,
        "2 confirmed, 2 failed\n",
        f"#999: There is no such order\n#{short.pk}: 9 × 9 short, 3 in stock\n",
    )
    assert statuses() == ["CONFIRMED", "PENDING", "CONFIRMED"]
    assert stock(sandbox) == {"10": 0, "9": 3}
    assert set(OrderEvent.objects.values_list("actor", "via")) == {("system", "command")}


def test_confirm_orders_all_pending_takes_the_oldest_first(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 3})
    older, newer = order_of(p10=2), order_of(p10=2)
    order_of(p10=1)

    outcome = run("confirm_orders", "--all-pending", "--limit", "2")

    assert (outcome.code, outcome.out) == (1, "1 confirmed, 1 failed\n")
    assert outcome.err == f"#{newer.pk}: 2 × 10 short, 1 in stock\n"
    assert statuses() == ["CONFIRMED", "PENDING", "PENDING"]
    assert older.pk < newer.pk


def test_confirm_orders_created_before_leaves_the_newer_alone(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 9})
    old = order_of(p10=1)
    order_of(p10=1)
    Order.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=2))
    yesterday = (timezone.now() - timedelta(days=1)).isoformat()

    assert run("confirm_orders", "--created-before", yesterday) == Outcome(0, "1 confirmed\n", "")
    assert statuses() == ["CONFIRMED", "PENDING"]


def test_confirm_orders_many_of_one_product_needs_no_worker(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 28, "9": 99})
    numbers = [order_of(p10=1, p9=2).pk for _ in range(30)]

    outcome = run("confirm_orders", "--all-pending")

    assert (outcome.code, outcome.out) == (1, "28 confirmed, 2 failed\n")
    assert set(outcome.err.splitlines()) == {
        f"#{number}: 1 × 10 short, 0 in stock" for number in numbers[-2:]
    }
    assert statuses() == ["CONFIRMED"] * 28 + ["PENDING"] * 2  # the oldest have it
    assert stock(sandbox) == {"10": 0, "9": 43}


def test_confirm_orders_again_moves_nothing_more(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 9})
    number = str(order_of(p10=2).pk)
    assert [run("confirm_orders", number) for _ in range(2)] == [
        Outcome(0, "1 confirmed\n", ""),
        Outcome(0, "1 confirmed\n", ""),
    ]
    assert stock(sandbox) == {"10": 7}


def test_confirm_orders_no_wait_leaves_all_to_the_worker(sandbox: Sandbox) -> None:
    order = order_of(p10=1)
    outcome = run("confirm_orders", str(order.pk), "--no-wait")
    assert outcome == Outcome(0, "0 confirmed, 1 left to the worker\n", "")
    assert order.confirmations.get().state == "running"
    assert sandbox.calls() == {}


def test_confirm_orders_without_an_inventory_says_that_nothing_moves(sandbox: Sandbox) -> None:
    sandbox.switches.update({"down": "503"})
    outcome = run("confirm_orders", str(order_of(p10=1).pk), "--wait", "0.3")
    assert (outcome.code, outcome.out) == (2, "0 confirmed, 1 left to the worker\n")
    assert outcome.err.startswith("no progress for 0.3 s: see that the inventory answers")


def test_confirm_orders_of_what_cannot_be_says_why(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 9})
    cancelled, reviewed = order_of(p10=1), order_of(p10=1)
    lifecycle.cancel(cancelled.pk, actor=OPERATOR)
    lifecycle.confirm(reviewed.pk, actor=OPERATOR, hold=0)
    StockMovement.objects.update(state="review")
    Order.objects.filter(pk=reviewed.pk).update(stock_state="review")

    outcome = run("confirm_orders", str(cancelled.pk), str(reviewed.pk))

    assert outcome == Outcome(
        1,
        "0 confirmed, 2 failed\n",
        f"#{cancelled.pk}: An order that is CANCELLED can't become CONFIRMED\n"
        f"#{reviewed.pk}: Its stock is in review: see manage.py resolve_stock\n",
    )


def test_confirm_orders_dry_run_changes_nothing(sandbox: Sandbox) -> None:
    pending, done = order_of(p10=1), order_of(p10=1)
    lifecycle.cancel(done.pk, actor=OPERATOR)

    outcome = run("confirm_orders", str(pending.pk), str(done.pk), "999", dry_run=True)

    assert outcome.out.splitlines() == [
        "#999: no such order, would be left alone",
        f"#{pending.pk}: would be confirmed",
        f"#{done.pk}: CANCELLED, would be left alone",
    ]
    assert (outcome.code, statuses()) == (0, ["PENDING", "CANCELLED"])


@pytest.mark.parametrize(
    ("option", "value", "refusal"),
    [
        ("--limit", "-1", "'-1' is not at least 1"),
        ("--limit", "0", "'0' is not at least 1"),
        ("--limit", "all", "'all' is not at least 1"),
        ("--created-before", "tomorrow", "'tomorrow' is no time like 2026-11-26T10:15:30Z"),
    ],
)
def test_complete_orders_of_no_number_or_no_time_completes_nothing(
    option: str, value: str, refusal: str
) -> None:
    """A slice up to -1 would be all but the newest."""
    confirmed = [order(status="CONFIRMED").pk for _ in range(3)]
    with pytest.raises(CommandError, match=refusal):
        run("complete_orders", "--all-confirmed", f"{option}={value}")
    assert statuses() == ["CONFIRMED"] * len(confirmed)


def test_confirm_orders_survives_a_database_that_is_away_for_a_while(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.store.set_stock({"10": 9})
    orders = [order_of(p10=1) for _ in range(3)]
    failures = iter([OperationalError("gone"), OperationalError("gone")])
    look = confirm_orders._waiting

    def waiting(batch: Batch) -> set[int]:
        if (failure := next(failures, None)) is not None:
            raise failure
        return look(batch)

    monkeypatch.setattr(confirm_orders, "_waiting", waiting)
    outcome = run("confirm_orders", *(str(each.pk) for each in orders))
    assert (outcome.code, outcome.out) == (0, "3 confirmed\n")
    assert next(failures, None) is None


def test_confirm_orders_tells_of_each_once_however_many_a_statement_names(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confirm_orders, "AT_ONCE", 2)
    sandbox.store.set_stock({"10": 3})
    numbers = [order_of(p10=1).pk for _ in range(5)]
    outcome = run("confirm_orders", *map(str, numbers))
    assert (outcome.code, outcome.out) == (1, "3 confirmed, 2 failed\n")
    assert sorted(outcome.err.splitlines()) == [
        f"#{each}: 1 × 10 short, 0 in stock" for each in numbers[3:]
    ]


@pytest.mark.parametrize("arguments", [(), ("100001", "--all-pending")])
def test_confirm_orders_without_a_clear_choice_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="either order numbers or a filter"):
        run("confirm_orders", *arguments)


def test_complete_orders_completes_the_confirmed_and_refuses_the_pending(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 9})
    confirmed, pending = order_of(p10=1), order_of(p10=1)
    lifecycle.confirm(confirmed.pk, actor=OPERATOR)

    by_filter = run("complete_orders", "--all-confirmed")
    by_number = run("complete_orders", str(pending.pk))

    assert by_filter == Outcome(0, "1 completed\n", "")
    assert by_number == Outcome(
        1,
        "0 completed, 1 failed\n",
        f"#{pending.pk}: An order that is PENDING can't become COMPLETED\n",
    )
    assert statuses() == ["COMPLETED", "PENDING"]


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal_draws_below_what_is_said() -> None:
    terminal = Terminal()
    progress = Progress(OutputWrapper(terminal), 2)
    progress.step()
    progress.say("#1: bad luck")
    progress.step()
    progress.close()
    clear = "\r\x1b[K"
    assert terminal.getvalue() == (
        f"{clear}[{'#' * 15}{' ' * 15}] 1/2{clear}#1: bad luck\n{clear}[{'#' * 30}] 2/2{clear}"
    )
