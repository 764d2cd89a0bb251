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

log = structlog.get_logger(__name__)


class NoCallToSpare(Exception):
    """As many inventory calls are under way in this process as it can afford."""


@cache
def client() -> InventoryClient:
    """Return the client that the settings describe; it pools its connections."""
    return InventoryClient(
        settings.INVENTORY_SERVICE_URL,
        dialect=settings.INVENTORY_DIALECT,
        api_key=settings.INVENTORY_API_KEY or None,
        check_timeout=settings.INVENTORY_CHECK_TIMEOUT_SECONDS,
        timeout=settings.INVENTORY_TIMEOUT_SECONDS,
    )


@cache
def _slots() -> BoundedSemaphore:
    return BoundedSemaphore(max(1, settings.WEB_THREADS - 2))


@contextmanager
def call() -> Iterator[InventoryClient]:
    """Lend the client for one conversation; raise `NoCallToSpare` at once when all are lent."""
    slots = _slots()
    if not slots.acquire(blocking=False):
        raise NoCallToSpare
    try:
        yield client()
    finally:
        slots.release()


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
