"""How long a caller stays with a call that changes stock, and what happens when it has left.

Such a call can't be taken back, and its answer must be written down whenever it comes. So it is
made in a thread of its own; a caller whose time is over leaves it there.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from contextvars import copy_context
from functools import cache
from typing import TypeVar

import structlog
from django.db import connection

from orders import outgoing

log = structlog.get_logger(__name__)
T = TypeVar("T")


@cache
def _threads() -> ThreadPoolExecutor:
    """Return the threads for calls, as many as may be under way; none is started before a fork."""
    return ThreadPoolExecutor(outgoing.most_calls(), thread_name_prefix="stock")


class Patience:
    """What a caller has left of ``seconds``; None is for one that stays until all is answered.

    ``on_late`` is called once an answer is written down that came when the caller had left.
    """

    def __init__(self, seconds: float | None, on_late: Callable[[], None]) -> None:
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._on_late = on_late

    def left(self) -> float | None:
        """Return how many seconds are left, below 0 when the time is over; None without an end."""
        return None if self._deadline is None else self._deadline - time.monotonic()

    def hear(self, call: Callable[[], T], write_down: Callable[[T], None], lent: ExitStack) -> None:
        """Make the call, and write down what it gave: here, or in its own thread after we left.

        ``lent`` is what the call needs until it has ended; who leaves it under way leaves that too.
        """
        left = self.left()
        if left is None:
            write_down(call())
            return
        answer = _threads().submit(copy_context().run, call)
        if wait([answer], timeout=max(0.0, left)).done:
            write_down(answer.result())
            return
        kept = lent.pop_all()

        def write_down_late(answer: Future[T]) -> None:
            # The thread has no other use for a connection, and keeps none open. Should the answer
            # come at this very moment it is the caller's, which opens another when it needs one.
            with kept:
                try:
                    write_down(answer.result())
                    self._on_late()
                except Exception:  # the row stays `sent`, and recovery finds it
                    log.exception("late_answer_not_written_down")
                finally:
                    connection.close()

        answer.add_done_callback(write_down_late)
