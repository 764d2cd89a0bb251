"""This process's one inventory client, lent to as many threads at once as it can spare."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from django.conf import settings

from inventory_client import InventoryClient, InventoryError
from inventory_client.answers import Health
from orders import outgoing
from orderservice.metrics import instruments

GLANCE = 1.5  # seconds that a person who only looks waits at most


@cache
def client(*, hasty: bool = False) -> InventoryClient:
    """Return the client that the settings describe; it pools its connections.

    The hasty one gives up after `GLANCE` seconds. It has a breaker of its own: the impatience of
    who only looks must not close the way to those who have stock to move.
    """
    if hasty:
        return _client(_glance())
    patient = _client(settings.INVENTORY_CHECK_TIMEOUT_SECONDS)
    instruments.breaker_open.labels("inventory").set_function(lambda: patient.is_shut_off)
    return patient


def _glance() -> float:
    return min(GLANCE, float(settings.INVENTORY_CHECK_TIMEOUT_SECONDS))


def _client(check_timeout: float) -> InventoryClient:
    return InventoryClient(
        settings.INVENTORY_SERVICE_URL,
        dialect=settings.INVENTORY_DIALECT,
        api_key=settings.INVENTORY_API_KEY or None,
        check_timeout=check_timeout,
        timeout=settings.INVENTORY_TIMEOUT_SECONDS,
        observer=outgoing.Watched("inventory"),
    )


@contextmanager
def call(*, hasty: bool = False) -> Iterator[InventoryClient]:
    """Lend the client for one conversation; raise as `outgoing.slot` when all are lent."""
    with outgoing.slot():
        yield client(hasty=True) if hasty else client()


def ping() -> Health:
    """Ask the inventory how it is, within `GLANCE` seconds; raise as `call` and the client do.

    On a client of its own: the impatience of whoever looks must not open the breaker for those who
    have stock to move, and whoever looks wants to know what is behind an open one.
    """
    with outgoing.slot():
        return _client(_glance()).health()


def log_failure(exc: InventoryError) -> None:
    """Say once why a call failed; what only an operator can mend is an error."""
    outgoing.log_failure("inventory_call_failed", exc)
