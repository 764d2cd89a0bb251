"""How many threads may be in a call to another service at once."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from pytest_django.fixtures import Settings

from orders import outgoing


@pytest.fixture(autouse=True)
def two_slots(settings: Settings) -> Iterator[None]:
    settings.WEB_THREADS = 4
    outgoing._slots.cache_clear()
    yield
    outgoing._slots.cache_clear()


def taken(count: int) -> ExitStack:
    """Take so many slots, until the stack is closed."""
    stack = ExitStack()
    for _ in range(count):
        stack.enter_context(outgoing.slot())
    return stack


def test_one_caller_waits_a_moment_for_another_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "MOMENT", 5.0)
    others = taken(2)
    threading.Timer(0.1, others.close).start()
    begun = time.monotonic()
    with outgoing.slot():
        assert 0.05 < time.monotonic() - begun < 4


def test_who_waits_in_vain_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "MOMENT", 0.05)
    with taken(2), pytest.raises(outgoing.NoCallToSpare), outgoing.slot():
        pass
    with taken(2):  # and has left nothing behind
        pass


def test_a_second_one_does_not_wait_beside_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "MOMENT", 5.0)
    others, waiting = taken(2), threading.Thread(target=lambda: taken(1).close())
    waiting.start()
    while not outgoing._place_in_line.locked():
        time.sleep(0.01)
    begun = time.monotonic()
    with pytest.raises(outgoing.NoCallToSpare), outgoing.slot():
        pass
    assert time.monotonic() - begun < 1
    others.close()
    waiting.join()
