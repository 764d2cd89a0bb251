"""Errors to Sentry, where ``SENTRY_DSN`` names one; without it nothing of Sentry is loaded.

What is sent is what our log lines have: the stack, the request's id, an order's number. Not the
request itself, whose path may hold an order's id, and no values of variables.
"""

from __future__ import annotations

import sys
from typing import Any

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.types import Event, Hint
from structlog.typing import EventDict, WrappedLogger

from orderservice import redaction

TAGS = ("request_id", "trace_id", "order")


def start(dsn: str, *, environment: str) -> None:
    """Begin to send errors."""
    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        # Others' would tell paths, a command's arguments with whose they are, or our lines twice;
        # and send headers of Sentry's to the services that we call.
        auto_enabling_integrations=False,
        default_integrations=False,
        integrations=[AtexitIntegration(lambda pending, seconds: None), DedupeIntegration()],
        max_breadcrumbs=0,
        before_send=_redact,
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


def _redact(event: Event, hint: Hint) -> Event:
    """Have each exception say what our log says of it."""
    _, exc, _ = hint.get("exc_info") or (None, None, None)
    told = {
        (type(each).__module__, type(each).__qualname__): redaction.told(each)
        for each in (redaction.chain(exc) if exc else ())
    }
    for exception in event.get("exception", {}).get("values", []):
        kind = exception.get("module") or "builtins", exception.get("type") or ""
        exception["value"] = told.get(kind, "")
    return event


def _exception(info: Any) -> Any:
    """Return what ``exc_info`` means, as structlog and the standard library let it be given."""
    if info is True:
        return sys.exc_info()
    return info if isinstance(info, BaseException | tuple) and info else None
