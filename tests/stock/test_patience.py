"""Answers that come together, late, or can't be written down."""

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack

import pytest
from django.db import DataError

from orders.stock.patience import Patience
from tests.processes import wait_for

SLOW = 1.0  # seconds


def test_answer_that_cannot_be_written_down_takes_no_other_with_it() -> None:
    """The quick ones come together; one of them can't be kept, and a third is under way."""
    go_on = threading.Event()
    written: list[str] = []
    returned = threading.Event()

    def slow() -> str:
        go_on.wait(10)
        return "slow"

    def write_down(answers: Sequence[str]) -> None:
        if "bad" in answers:
            raise DataError("it has a NUL")
        written.extend(answers)

    def write_down_late(answer: str) -> None:
        write_down([answer])

    lent = ExitStack()
    lent.callback(returned.set)
    with pytest.raises(DataError), lent:
        Patience(10).hear([lambda: "good", lambda: "bad", slow], write_down, write_down_late, lent)
    wait_for(lambda: written == ["good"])
    assert not returned.is_set()  # a call is still under way on what was lent
    go_on.set()
    wait_for(returned.is_set)
    assert written == ["good", "slow"]


def test_call_that_fails_by_a_bug_takes_no_other_with_it() -> None:
    written: list[str] = []

    def bug() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), ExitStack() as lent:
        Patience(10).hear([lambda: "good", bug], written.extend, written.append, lent)
    wait_for(lambda: written == ["good"])


def test_what_comes_in_time_is_written_down_together() -> None:
    written: list[Sequence[str]] = []
    begun = time.monotonic()
    with ExitStack() as lent:
        Patience(10).hear([lambda: "a", lambda: "b"], written.append, pytest.fail, lent)
    assert sorted(each for group in written for each in group) == ["a", "b"]
    assert time.monotonic() - begun < SLOW
