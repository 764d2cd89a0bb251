"""OpenTelemetry's spans of requests and of calls; loaded only where somebody wants them.

By hand and not by its instrumentations: those tell the path of a request, which may hold an order's
id, and the words of statements. Names are those of its semantic conventions for HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode

_provider: TracerProvider | None = None


def start() -> None:
    """Begin to send spans from this process; the variables are OpenTelemetry's."""
    global _provider
    ours = Resource({SERVICE_NAME: "order-service"})
    _provider = TracerProvider(resource=ours.merge(Resource.create()))
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))


def stop() -> None:
    """Send what has not been sent."""
    if _provider is not None:
        _provider.shutdown()


@contextmanager
def request(method: str, traceparent: str | None) -> Iterator[Span]:
    """Make the span of a request, in the trace that it brings along."""
    brought = propagate.extract({"traceparent": traceparent} if traceparent else {})
    with _tracer().start_as_current_span(method, brought, SpanKind.SERVER) as span:
        span.set_attribute("http.request.method", method)
        yield span


def answered(span: Span, method: str, route: str | None, status: int) -> None:
    """Say what the request was, and what came of it."""
    span.set_attribute("http.response.status_code", status)
    if route:
        span.update_name(f"{method} {route}")
        span.set_attribute("http.route", route)
    if status >= 500:
        span.set_status(StatusCode.ERROR)


@contextmanager
def call(service: str, name: str) -> Iterator[None]:
    """Make the span of a call to another service; a failure's text stays out of it."""
    with _tracer().start_as_current_span(
        f"{service} {name}", kind=SpanKind.CLIENT, record_exception=False
    ):
        yield


def headers() -> dict[str, str]:
    """Return what passes the present span on."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


def trace_id(span: Span) -> str:
    """Return the id of a span's trace, in hexadecimal."""
    return trace.format_trace_id(span.get_span_context().trace_id)


def _tracer() -> trace.Tracer:
    assert _provider is not None  # noqa: S101 - `start` comes first
    return _provider.get_tracer("orderservice")
