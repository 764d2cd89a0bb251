"""What lines of our log tell of a movement, in whatever order and wrapping they come."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from orders.stock.reconcile import Heard, hear

SINCE = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
MOVEMENT = "5a0c1f0e-0000-4000-8000-00c0ffee5eed"
MOVED: dict[str, Any] = {"event": "stock_moved", "in_stock": 43, "again": False}
FAILED: dict[str, Any] = {"event": "inventory_call_failed", "outcome": "OutcomeUnknown"}
APPLIED: dict[str, Any] = {"event": "stock_read_back", "to": "applied"}
NOT_DONE: dict[str, Any] = {"event": "stock_read_back", "to": "planned"}
REVIEW: dict[str, Any] = {"event": "stock_read_back", "to": "review"}


def line(minute: int, told: dict[str, Any], **changed: Any) -> str:
    about = {"order": 100231, "movement": MOVEMENT, "product": "10", "quantity": -2}
    return json.dumps({"timestamp": f"2026-11-26T10:{minute:02}:00Z"} | about | told | changed)


def outcome(*lines: str) -> str:
    heard = hear(lines, SINCE)
    assert heard.done.keys().isdisjoint(heard.open)
    if UUID(MOVEMENT) in heard.done:
        return "done"
    return "open" if UUID(MOVEMENT) in heard.open else "nothing"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([MOVED], "done"),
        ([MOVED, MOVED | {"again": True}], "done"),
        ([FAILED], "open"),
        ([FAILED | {"outcome": "Rejected"}], "nothing"),
        ([FAILED | {"outcome": "NotYet"}], "nothing"),
        ([FAILED | {"outcome": "NotYet", "again": True}], "open"),
        ([FAILED, MOVED], "done"),  # it was answered after all
        ([FAILED, APPLIED], "done"),
        ([APPLIED], "done"),  # of a process that died
        ([FAILED, NOT_DONE], "nothing"),
        ([FAILED, NOT_DONE, FAILED], "open"),
        ([FAILED, NOT_DONE, MOVED], "done"),
        ([FAILED, REVIEW], "open"),
        ([REVIEW], "open"),
    ],
)
def test_last_word_counts_in_whatever_order_the_lines_come(
    told: list[dict[str, Any]], expected: str
) -> None:
    lines = [line(minute, each) for minute, each in enumerate(told)]
    assert outcome(*lines) == expected
    assert outcome(*reversed(lines)) == expected


def test_what_is_told_is_kept_whatever_stands_around_it() -> None:
    plain = line(5, MOVED)
    for wrapped in (
        plain,
        f"web1-1  | {plain}",
        f"Nov 26 10:05:00 host orders[7]: {plain}\n",
        json.dumps({"log": f"{plain}\n", "stream": "stderr", "time": "2026-11-26T10:05:00Z"}),
        json.dumps({"message": plain, "level": "info"}),
    ):
        heard = hear([wrapped], SINCE)
        [told] = heard.done.values()
        assert (told.order, told.product_id, told.delta) == (100231, "10", -2)
        assert heard.first == datetime(2026, 11, 26, 10, 5, tzinfo=UTC)


def test_lines_before_the_backup_tell_only_when_the_log_begins() -> None:
    before = line(0, MOVED, timestamp="2026-11-26T09:59:59Z")
    assert hear([line(1, FAILED), before], SINCE).first == datetime(
        2026, 11, 26, 9, 59, 59, tzinfo=UTC
    )
    assert outcome(before) == "nothing"


@pytest.mark.parametrize(
    "garbage",
    [
        *("", "\n", "{", "}", "{}", "[1]", "null", "stock_moved", '{"event": "stock_moved"}'),
        "2026-11-26T10:05:00Z [info     ] stock_moved   movement=5a0c",
        line(1, MOVED, timestamp=None),
        line(1, MOVED)[:-9],
        '{"log": 7}',
        '{"log": "{"}',
    ],
)
def test_line_that_is_not_ours_is_passed_over(garbage: str) -> None:
    assert hear([garbage], SINCE) == Heard()


@pytest.mark.parametrize(
    "changed",
    [{"movement": "none"}, {"quantity": "2"}, {"order": None}, {"product": 10}, {"movement": 7}],
)
def test_line_that_names_no_movement_tells_of_none(changed: dict[str, Any]) -> None:
    assert outcome(line(1, MOVED, **changed)) == "nothing"
