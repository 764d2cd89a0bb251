"""Lock-out after wrong sign-ins, counted in the database, so that all processes see one count.

django-axes calls us: its backend asks before a password is looked at, its signals tell what came
of it. Three counts, each of the last `COOL_OFF`; docs/adr/0010-sign-in.md says why these three.
A name is counted as it is typed, so a lock tells nobody whether the user exists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from orders.signin.known_browsers import is_known
from orderservice.client_address import client_network

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from orders.models import User

COOL_OFF = timedelta(minutes=15)
FOR_ONE_AT_ONE_ADDRESS = 10  # failures of one name at one address
AT_ONE_ADDRESS = 100  # of all names there
FOR_ONE_ANYWHERE = 50  # of one name at all addresses; holds only for browsers that are unknown

NOWHERE = "0.0.0.0"  # noqa: S104 - the address of a client of whom no address is known
LONGEST_NAME = 150  # characters, as of the user model's; what is longer matches nobody

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failures of one name at one address, the last of them at a time."""

    username: str
    address: str
    last: datetime
    failures: int


def locked_until(request: HttpRequest, username: str) -> datetime | None:
    """Return when this client may try that name again; None when it may now."""
    return max(_locks(request, username), default=None)


class LockoutHandler(AxesDatabaseHandler):  # type: ignore[misc] # axes is untyped
    """What django-axes calls; its table and its commands stay as they are."""

    def is_locked(self, request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> bool:
        """Tell whether the attempt must not even be looked at."""
        return locked_until(request, name_of(credentials)) is not None

    def user_login_failed(
        self,
        sender: object,
        credentials: Mapping[str, Any],
        request: HttpRequest | None = None,
        **kwargs: object,
    ) -> None:
        """Count a failure, unless it was one of somebody who is locked out; lock out at the limit.

        What is tried during a lock is not counted, so that a lock ends.
        """
        if request is None:
            return  # the operator of this machine
        username = name_of(credentials)
        state: Any = request
        state.axes_credentials = credentials
        if state.axes_locked_out:
            return
        _count(request, username)
        if locked_until(request, username) is not None:
            state.axes_locked_out = True
            log.warning("sign_in_locked")

    def user_logged_in(
        self, sender: object, request: HttpRequest, user: User, **kwargs: object
    ) -> None:
        """Forget the user's failures at this address."""
        forgive(request, user.get_username())

    def user_logged_out(self, *args: object, **kwargs: object) -> None:
        """Leave everything as it is."""


def name_of(credentials: Mapping[str, Any] | None) -> str:
    """Return the name that is tried."""
    return str((credentials or {}).get("username") or "")[:LONGEST_NAME]


def forgive(request: HttpRequest, username: str) -> None:
    """Forget a name's failures at this client's address; those elsewhere are somebody else's."""
    AccessAttempt.objects.filter(username=username, ip_address=_address(request)).delete()


def stale() -> QuerySet[AccessAttempt]:
    """Return the failures that count no more."""
    attempts: QuerySet[AccessAttempt] = AccessAttempt.objects.filter(
        attempt_time__lt=timezone.now() - COOL_OFF
    )
    return attempts


def forget() -> int:
    """Delete the failures that count no more; return how many."""
    with transaction.atomic():
        locked = stale().select_for_update(skip_locked=True)
        numbers = list(locked.values_list("pk", flat=True))
        if numbers:
            AccessAttempt.objects.filter(pk__in=numbers).delete()
    return len(numbers)


def _count(request: HttpRequest, username: str) -> None:
    now = timezone.now()
    forget()
    AccessAttempt.objects.update_or_create(
        username=username,
        ip_address=_address(request),
        user_agent="",  # one that changes must not begin a new count
        defaults={"failures_since_start": F("failures_since_start") + 1, "attempt_time": now},
        create_defaults={"failures_since_start": 1, "path_info": request.path[:255]},
    )
    log.info("sign_in_failed")


def _locks(request: HttpRequest, username: str) -> list[datetime]:
    """Return the end of each lock that holds."""
    address = _address(request)
    rows = (
        AccessAttempt.objects.filter(
            Q(username=username) | Q(ip_address=address),
            attempt_time__gt=timezone.now() - COOL_OFF,
        )
        .order_by("attempt_time")
        .values_list("username", "ip_address", "attempt_time", "failures_since_start")
    )
    attempts = [Attempts(*row) for row in rows]
    rules: list[tuple[int, Callable[[Attempts], bool]]] = [
        (
            FOR_ONE_AT_ONE_ADDRESS,
            lambda each: each.username == username and each.address == address,
        ),
        (AT_ONE_ADDRESS, lambda each: each.address == address),
    ]
    if not is_known(request, username):
        rules.append((FOR_ONE_ANYWHERE, lambda each: each.username == username))
    ends = (_end([each for each in attempts if counts(each)], limit) for limit, counts in rules)
    return [end for end in ends if end is not None]


def _end(attempts: list[Attempts], limit: int) -> datetime | None:
    """Return when enough attempts are forgotten, the oldest first; None below the limit."""
    end = None
    left = sum(each.failures for each in attempts)
    for each in attempts:
        if left < limit:
            break
        left -= each.failures
        end = each.last + COOL_OFF
    return end


def _address(request: HttpRequest) -> str:
    return client_network(request) or NOWHERE
