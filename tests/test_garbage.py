"""The garbage collector of long-lived processes."""

import gc
from collections.abc import Iterator

import pytest

from orderservice import garbage


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


def test_what_is_loaded_is_left_alone_and_what_comes_is_collected() -> None:
    garbage.settle()
    assert gc.get_freeze_count() > 100_000
    assert gc.isenabled()

    class Cycle:
        gone = 0

        def __del__(self) -> None:
            Cycle.gone += 1

    for _ in range(2 * garbage.NEW_OBJECTS):
        cycle = Cycle()
        cycle.itself = cycle  # type: ignore[attr-defined]
    assert Cycle.gone > garbage.NEW_OBJECTS / 2
