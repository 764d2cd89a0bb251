"""This process's one inventory client, and how many of its threads may be in it at once.

A slow inventory service must not take the health check and the reads down with it, so two of the
web process's threads are always left to them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore

import structlog
from django.conf import settings

from inventory_client import InventoryClient, InventoryError
from inventory_client.answers import Health

GLANCE = 1.5  # seconds that a person who only looks waits at most

log = structlog.get_logger(__name__)


class NoCallToSpare(Exception):
    """As many inventory calls are under way in this process as it can afford."""


@cache
def client(*, hasty: bool = False) -> InventoryClient:
    """Return the client that the settings describe; it pools its connections.

    The hasty one gives up after `GLANCE` seconds. It has a breaker of its own: the impatience of
    who only looks must not close the way to those who have stock to move.
    """
    return _client(_glance() if hasty else settings.INVENTORY_CHECK_TIMEOUT_SECONDS)


def _glance() -> float:
    return min(GLANCE, float(settings.INVENTORY_CHECK_TIMEOUT_SECONDS))


def _client(check_timeout: float) -> InventoryClient:
    return InventoryClient(
        settings.INVENTORY_SERVICE_URL,
        dialect=settings.INVENTORY_DIALECT,
        api_key=settings.INVENTORY_API_KEY or None,
        check_timeout=check_timeout,
        timeout=settings.INVENTORY_TIMEOUT_SECONDS,
    )


@cache
def _slots() -> BoundedSemaphore:
    return BoundedSemaphore(max(1, settings.WEB_THREADS - 2))


@contextmanager
def _slot() -> Iterator[None]:
    slots = _slots()
    if not slots.acquire(blocking=False):
        raise NoCallToSpare
    try:
        yield
    finally:
        slots.release()


@contextmanager
def call(*, hasty: bool = False) -> Iterator[InventoryClient]:
    """Lend the client for one conversation; raise `NoCallToSpare` at once when all are lent."""
    with _slot():
        yield client(hasty=True) if hasty else client()


def ping() -> Health:
    """Ask the inventory how it is, within `GLANCE` seconds; raise as `call` and the client do.

    On a client of its own: the impatience of whoever looks must not open the breaker for those who
    have stock to move, and whoever looks wants to know what is behind an open one.
    """
    with _slot():
        return _client(_glance()).health()


def request_id() -> str | None:
    """Return the id of the request that is being served, which the calls pass on."""
    value = structlog.contextvars.get_contextvars().get("request_id")
    return value if isinstance(value, str) else None


def log_failure(exc: InventoryError) -> None:
    """Say once why a call failed; what only an operator can mend is an error."""
    level = log.error if exc.code == "misconfigured" else log.warning
    level(
        "inventory_call_failed",
        outcome=type(exc).__name__,
        code=exc.code,
        http_status=exc.http_status,
        trace_id=exc.trace_id,
    )
