"""Which trace a request belongs to: for the logs, and for the services that we call.

A sane ``traceparent`` (W3C Trace Context, https://www.w3.org/TR/trace-context/) is taken up and
passed on. With ``OTEL_EXPORTER_OTLP_ENDPOINT`` set, spans of requests and of outgoing calls are
sent there, by OpenTelemetry's own variables; without it nothing of OpenTelemetry is loaded.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from structlog.contextvars import bound_contextvars

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NO_TRACE, _NO_SPAN, _NO_VERSION = "0" * 32, "0" * 16, "ff"


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace that somebody has begun; ``flags`` in hexadecimal as they came."""

    id: str
    parent: str
    flags: str


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)
_spans: Any = None  # orderservice.spans, where they are wanted


def start() -> None:
    """Begin to send spans, where ``OTEL_EXPORTER_OTLP_ENDPOINT`` says whereto; after a fork."""
    global _spans
    if settings.SENDS_SPANS:
        from orderservice import spans  # noqa: PLC0415 - who wants none need not wait for it

        spans.start()
        _spans = spans


def stop() -> None:
    """Send what spans there are yet, before the process ends."""
    if _spans is not None:
        _spans.stop()


@contextmanager
def request(method: str, header: str) -> Iterator[Any]:
    """Take part in the trace that a request's ``traceparent`` names; yields its span, or None."""
    trace = parse(header)
    token = _current.set(trace)
    try:
        if _spans is not None:
            with (
                _spans.request(method, trace and header) as span,
                bound_contextvars(trace_id=_spans.trace_id(span)),
            ):
                yield span
        elif trace is not None:
            with bound_contextvars(trace_id=trace.id):
                yield None
        else:
            yield None
    finally:
        _current.reset(token)


def answered(span: Any, method: str, route: str | None, status: int) -> None:
    """Say on a request's span what it was, and what came of it."""
    if span is not None:
        _spans.answered(span, method, route, status)


@contextmanager
def call(service: str, name: str) -> Iterator[None]:
    """Make a call to another service part of the trace."""
    if _spans is None:
        yield
    else:
        with _spans.call(service, name):
            yield


def headers() -> dict[str, str]:
    """Return what passes the trace on to a service that is called now; nothing without a trace."""
    if _spans is not None:
        return dict(_spans.headers())
    trace = _current.get()
    if trace is None:
        return {}
    return {"traceparent": f"00-{trace.id}-{secrets.token_hex(8)}-{trace.flags}"}


def parse(header: str) -> Trace | None:
    """Return the trace that a ``traceparent`` names; None for one that the standard refuses."""
    match = _TRACEPARENT.fullmatch(header.strip())
    if match is None:
        return None
    version, trace_id, parent, flags, more = match.groups()
    if version == _NO_VERSION or trace_id == _NO_TRACE or parent == _NO_SPAN:
        return None
    if version == "00" and more:
        return None
    return Trace(trace_id, parent, flags)
