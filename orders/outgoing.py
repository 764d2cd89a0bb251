"""What all calls to other services share: how many threads may be in one, and what is said of them.

A slow service must not take the health check and the reads down with it, so two of the web
process's threads are always left to them. One count for all services: with a count each, two slow
ones could have every thread.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from threading import BoundedSemaphore, Lock

import structlog
from django.conf import settings

from inventory_client import Observer, ServiceError
from orderservice import tracing
from orderservice.metrics import instruments

log = structlog.get_logger(__name__)


MOMENT = 0.25  # seconds
_place_in_line = Lock()


class NoCallToSpare(Exception):
    """As many calls are under way in this process as it can afford."""


def most_calls() -> int:
    """Return how many calls may be under way in this process."""
    return max(1, settings.WEB_THREADS - 2)


@cache
def _slots() -> BoundedSemaphore:
    return BoundedSemaphore(most_calls())


@contextmanager
def slot() -> Iterator[None]:
    """Take part in what threads there are for one conversation; raise `NoCallToSpare`.

    One caller at a time waits a moment for another to end, so that a burst is served as long as
    the services are quick. All others are told at once: a thread is always left to the rest.
    """
    slots = _slots()
    if not slots.acquire(blocking=False):
        if not _place_in_line.acquire(blocking=False):
            raise NoCallToSpare
        try:
            if not slots.acquire(timeout=MOMENT):
                raise NoCallToSpare
        finally:
            _place_in_line.release()
    try:
        yield
    finally:
        slots.release()


class Watched(Observer):
    """Counts a service's calls, and makes them part of the trace that they belong to."""

    def __init__(self, service: str) -> None:
        self._service = service

    def around(self, call: str) -> AbstractContextManager[None]:
        """Have the call in a span of its own, where spans are wanted."""
        return tracing.call(self._service, call)

    def headers(self) -> Mapping[str, str]:
        """Pass the trace on."""
        return tracing.headers()

    def ended(self, call: str, outcome: str, seconds: float | None) -> None:
        """Count the call."""
        instruments.outgoing(self._service, call, outcome, seconds)


def request_id() -> str | None:
    """Return the id of the request that is being served, which the calls pass on."""
    value = structlog.contextvars.get_contextvars().get("request_id")
    return value if isinstance(value, str) else None


def log_failure(event: str, exc: ServiceError) -> None:
    """Say once why a call failed; what only an operator can mend is an error."""
    level = log.error if exc.code == "misconfigured" else log.warning
    level(
        event,
        outcome=type(exc).__name__,
        code=exc.code,
        http_status=exc.http_status,
        upstream_trace_id=exc.trace_id,
    )
