"""The threads of a web process, of which some are kept for questions about its health."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

from orderservice.arrival import Arrival

HEALTH_THREADS = 2  # one may ask the database; the other says meanwhile that the process serves


class HasArrived(Protocol):
    """A connection with a request."""

    arrival: Arrival


C = TypeVar("C", bound=HasArrived)


class Threads:
    """The threads that serve, and some that are kept for who asks how the service is.

    When all wait for a database that does not answer, a balancer must still be told of it; and a
    process that serves nobody for that reason is alive, and would not do better started anew.
    """

    def __init__(self, threads: int) -> None:
        self._usual = ThreadPoolExecutor(threads)
        self._for_health = ThreadPoolExecutor(HEALTH_THREADS)

    def submit(self, handle: Callable[[C], bool], conn: C) -> Future[bool]:
        """Serve a request that has arrived, as an executor does."""
        threads = self._for_health if conn.arrival.asks_for(b"/health") else self._usual
        return threads.submit(handle, conn)

    def shutdown(self, *, wait: bool) -> None:
        """Take in no more, as an executor does."""
        self._usual.shutdown(wait=wait)
        self._for_health.shutdown(wait=wait)
