"""Where a process can die, and dying there: an exception that nobody catches.

That nothing depends on a `finally`, the chaos trials show with `kill -9`.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db import connection

from inventory_client import InventoryClient
from orders.lifecycle import advancing, cancelling, confirming
from orders.stock import ledger, movements, outcomes

# Where a process dies: the module and the function, and on which side of it.
DEATHS: dict[str, tuple[Any, str, str]] = {
    "after plan": (confirming, "advance", "before"),
    "after a reversal's plan": (cancelling, "advance", "before"),
    "after claim": (movements, "claim", "after"),
    "after snapshot": (movements, "write_ahead", "before"),
    "after write-ahead": (movements, "write_ahead", "after"),
    "after response": (InventoryClient, "adjust", "after"),
    "before the outcome": (outcomes, "transition", "before"),
    "after the outcome": (outcomes, "transition", "after"),
    "before closing": (advancing, "_close", "before"),
    "before closing commits": (ledger, "close", "after"),
    "in read-back": (movements, "begin_read_back", "after"),
}


class Died(BaseException):
    """The process is no more; nothing that handles errors may handle this."""


@contextmanager
def dying(where: str, tally: Counter[str]) -> Iterator[None]:
    """Die the first time that a step is reached, as a process does."""
    target, name, side = DEATHS[where]
    real: Callable[..., Any] = getattr(target, name)

    def deadly(*args: Any, **options: Any) -> Any:
        if side == "after":
            real(*args, **options)
        raise Died

    with patch.object(target, name, deadly):
        try:
            yield
        except Died:
            tally[f"died {where}"] += 1
            connection.close()
