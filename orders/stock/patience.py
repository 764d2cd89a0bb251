"""How long a caller stays with calls to the inventory, and what happens when it has left.

A call that changes stock can't be taken back, and its answer must be written down whenever it
comes. So such calls are made in threads of their own; who does not stay leaves them there.
"""

import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from contextvars import copy_context
from functools import cache
from threading import Lock
from typing import TypeVar

import structlog
from django.db import connection

from orders import outgoing
from orders.stock import timing

AT_ONCE = 16  # calls of one process, whoever makes them
log = structlog.get_logger(__name__)
T = TypeVar("T")


@cache
def _threads() -> ThreadPoolExecutor:
    """Return the threads for calls; none is started before a process is forked."""
    most = max(AT_ONCE, outgoing.most_calls())
    return ThreadPoolExecutor(most, thread_name_prefix="stock")


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Make calls at the same time, and return what they gave; a single one is made right here."""
    if len(calls) == 1:
        return [calls[0]()]
    return [each.result() for each in [_threads().submit(_in_context(call)) for call in calls]]


def _in_context(call: Callable[[], T]) -> Callable[[], T]:
    context = copy_context()  # of its own for each: what a log line or an id belongs to
    return lambda: context.run(call)


class Patience:
    """What a caller has left of ``seconds``; None is for a worker, which never waits for a turn.

    A worker asks as long as the service may take, and stays with calls that change stock for
    `timing.STAY` seconds.
    """

    def __init__(self, seconds: float | None) -> None:
        self._deadline = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """Return how many seconds are left, below 0 when the time is over; None without an end."""
        return None if self._deadline is None else self._deadline - time.monotonic()

    def hear(
        self,
        calls: Sequence[Callable[[], T]],
        write_down: Callable[[Sequence[T]], None],
        write_down_late: Callable[[T], None],
        lent: ExitStack,
    ) -> None:
        """Make the calls at once, and have what they give written down, soon after it came.

        What comes when our time is over is written down in its own thread. ``lent`` is what the
        calls need until the last of them has ended. What can't be written down together is tried
        one by one, so that it takes no other with it; the failure is raised all the same.
        """
        left = self.left()
        leave_at = time.monotonic() + (timing.STAY if left is None else left)
        answers = {_threads().submit(_in_context(call)): None for call in calls}  # keeps the order
        try:
            while answers and (remains := leave_at - time.monotonic()) > 0:
                came = wait(answers, timeout=min(timing.GATHER, remains)).done
                if came:
                    write_down([each.result() for each in answers if each in came])
                    answers = {each: None for each in answers if each not in came}
        except Exception:  # the database, or a bug: calls are under way all the same
            _leave(answers, write_down_late, lent)
            raise
        if answers:
            _leave(answers, write_down_late, lent)


def _leave(
    answers: Collection[Future[T]], write_down: Callable[[T], None], lent: ExitStack
) -> None:
    """Have each answer written down by itself when it comes, at once if it is there."""
    remaining = _Remaining(len(answers), lent.pop_all())
    for each in answers:
        each.add_done_callback(remaining.then(write_down))


class _Remaining:
    """The calls that nobody stays with; the last one to end gives back what was lent for them."""

    def __init__(self, count: int, lent: ExitStack) -> None:
        self._count = count
        self._lent = lent
        self._lock = Lock()

    def then(self, write_down: Callable[[T], None]) -> Callable[[Future[T]], None]:
        """Return what to do once one has ended."""

        def ended(answer: Future[T]) -> None:
            try:
                write_down(answer.result())
            except Exception:  # a bug: nobody is there to be told
                log.exception("late_call_failed")
            finally:
                # The thread has no other use for a connection, and keeps none open. Should the
                # answer come at this very moment it is the caller's, which then opens another.
                connection.close()
                self._one_less()

        return ended

    def _one_less(self) -> None:
        with self._lock:
            self._count -= 1
            if self._count == 0:
                self._lent.close()
