"""Whether the service can do its work: each dependency by name, each with a deadline.

Without the database it is not ready, though alive. Without the inventory, or a worker that keeps
up, it is degraded: orders can be read, and what can't go on waits. An instance that is about to
stop is not ready either, whatever its dependencies say: nobody shall send it more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock

from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from orders import figures, queries
from orders.api.problems import read_only
from orders.stock import inspection
from orderservice import draining, migrations
from orderservice.database import RETRY_AFTER

PATIENCE = 1000  # milliseconds, of a statement
ASKED_EVERY = 5.0  # seconds: anybody may ask here, and must not make us ask the inventory as often
NOT_ASKED = inspection.Observation("not asked yet", fine=False)
LATE = timedelta(minutes=2)  # what is due for longer shows that no worker comes for it

OK, DEGRADED, UNAVAILABLE = "ok", "degraded", "unavailable"


@dataclass(frozen=True, slots=True)
class Dependency:
    """How one dependency is: a word of `OK`, `DEGRADED` or `UNAVAILABLE`, and why."""

    status: str
    detail: str = ""


GOES = Dependency(UNAVAILABLE, "draining")


@read_only
def ready(request: HttpRequest) -> JsonResponse:
    """Say of each dependency how it is: 200 while requests can be served, 503 while not."""
    found = {"process": GOES} if draining.has_begun() else _dependencies()
    status = next(
        (
            word
            for word in (UNAVAILABLE, DEGRADED)
            if word in {each.status for each in found.values()}
        ),
        OK,
    )
    body = {
        "status": status,
        "service": "order-service",
        "dependencies": {
            name: {"status": each.status} | ({"detail": each.detail} if each.detail else {})
            for name, each in found.items()
        },
    }
    response = JsonResponse(body, status=503 if status == UNAVAILABLE else 200)
    response["Cache-Control"] = "no-store"
    if status == UNAVAILABLE:
        response["Retry-After"] = str(RETRY_AFTER)
    return response


def _dependencies() -> dict[str, Dependency]:
    found = {"database": _database()}
    if found["database"].status == OK:
        found |= {"migrations": _migrations(), "queue": _queue()}
    return found | {"inventory": _inventory()}


def _database() -> Dependency:
    try:
        with queries.within(PATIENCE), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (queries.Unanswered, DatabaseError, InterfaceError):
        connection.close_if_unusable_or_obsolete()
        return Dependency(UNAVAILABLE, "no answer")
    return Dependency(OK)


def _migrations() -> Dependency:
    """Tell whether the tables are those of this release; what was applied once stays so."""
    if not _known.is_migrated:
        try:
            with queries.within(PATIENCE):
                missing = migrations.missing()
        except (queries.Unanswered, DatabaseError, InterfaceError):
            return Dependency(UNAVAILABLE, "no answer")
        if missing:
            return Dependency(UNAVAILABLE, f"{missing} to apply")
        _known.is_migrated = True
    return Dependency(OK)


def _queue() -> Dependency:
    try:
        with queries.within(PATIENCE):
            worker = figures.worker()
    except (queries.Unanswered, DatabaseError, InterfaceError):
        return Dependency(DEGRADED, "no answer")
    age = timezone.now() - worker.due_since if worker.due_since else timedelta(0)
    if age > LATE:
        return Dependency(
            DEGRADED, f"{worker.due} due, the oldest for {int(age.total_seconds())} s"
        )
    return Dependency(OK)


def _inventory() -> Dependency:
    seen = _asked_lately(inspection.ping)
    return Dependency(OK) if seen.fine else Dependency(DEGRADED, seen.text)


@dataclass(slots=True)
class Known:
    """What this process has found out, and when."""

    is_migrated: bool = False
    asking: Lock = field(default_factory=Lock)
    at: float = float("-inf")
    seen: inspection.Observation = NOT_ASKED


_known = Known()


def _asked_lately(ask: Callable[[], inspection.Observation]) -> inspection.Observation:
    """Return the last answer, or a new one; of callers at once only one asks and waits."""
    if time.monotonic() - _known.at >= ASKED_EVERY and _known.asking.acquire(blocking=False):
        try:
            _known.seen = ask()
            _known.at = time.monotonic()
        finally:
            _known.asking.release()
    return _known.seen
