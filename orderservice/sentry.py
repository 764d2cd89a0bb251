"""Errors to Sentry, where ``SENTRY_DSN`` names one; without it nothing of Sentry is loaded.

What is sent is what our log lines have: the stack, the request's id, an order's number. Not the
request itself, whose path may hold an order's id, and no values of variables.
"""

from __future__ import annotations

import sys
from typing import Any

import sentry_sdk
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.types import Event, Hint
from structlog.typing import EventDict, WrappedLogger

TAGS = ("request_id", "trace_id", "order")


def start(dsn: str, *, environment: str) -> None:
    """Begin to send errors."""
    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        auto_enabling_integrations=False,  # Django's would tell paths
        integrations=[LoggingIntegration(level=None, event_level=None)],  # `tell` does it
        max_breadcrumbs=0,
        before_send=_without_values,
    )


def tell(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Send a line that is an error; a processor of structlog's, before stacks are made text."""
    if event.get("level") in ("error", "critical"):
        with sentry_sdk.new_scope() as scope:
            for name in TAGS:
                if event.get(name) is not None:
                    scope.set_tag(name, str(event[name]))
            scope.set_tag("logger", str(event.get("logger", "")))
            if exc := _exception(event.get("exc_info")):
                scope.set_context("line", {"event": str(event.get("event"))})
                sentry_sdk.capture_exception(exc)
            else:
                sentry_sdk.capture_message(str(event.get("event")), level="error")
    return event


def _without_values(event: Event, hint: Hint) -> Event:
    """Take the words of the database's errors out: they repeat a row's values."""
    for exception in event.get("exception", {}).get("values", []):
        if (exception.get("module") or "").startswith(("psycopg", "django.db")):
            exception["value"] = ""
    return event


def _exception(info: Any) -> Any:
    """Return what ``exc_info`` means, as structlog and the standard library let it be given."""
    if info is True:
        return sys.exc_info()
    return info if isinstance(info, BaseException | tuple) and info else None
