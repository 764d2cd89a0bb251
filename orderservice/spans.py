"""OpenTelemetry's spans of requests and of calls; loaded only where somebody wants them.

By hand and not by its instrumentations: those tell the path of a request, which may hold an order's
id, and the words of statements. Names are those of its semantic conventions for HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode

from inventory_client import ServiceError

_provider: TracerProvider | None = None


def start() -> None:
    """Begin to send spans from this process; the variables are OpenTelemetry's."""
    global _provider
    _provider = TracerProvider(resource=_ourselves())
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))


def stop() -> None:
    """Send what has not been sent."""
    if _provider is not None:
        _provider.shutdown()


@contextmanager
def request(method: str, traceparent: str | None) -> Iterator[Span]:
    """Make the span of a request, in the trace that it brings along."""
    brought = propagate.extract({"traceparent": traceparent} if traceparent else {})
    with _span(method, SpanKind.SERVER, brought) as span:
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
    """Make the span of a call to another service; of a failure it has the code, and no text."""
    with _span(f"{service} {name}", SpanKind.CLIENT) as span:
        try:
            yield
        except Exception as exc:
            code = exc.code if isinstance(exc, ServiceError) else type(exc).__name__
            span.set_attribute("error.type", code)
            span.set_status(StatusCode.ERROR, code)
            raise


def headers() -> dict[str, str]:
    """Return what passes the present span on."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


def trace_id(span: Span) -> str:
    """Return the id of a span's trace, in hexadecimal."""
    return trace.format_trace_id(span.get_span_context().trace_id)


def _ourselves() -> Resource:
    """Return what OpenTelemetry's variables say of this process, with our name unless they do."""
    said = Resource.create()
    if str(said.attributes[SERVICE_NAME]).startswith("unknown_service"):
        return said.merge(Resource({SERVICE_NAME: "order-service"}))
    return said


def _span(
    name: str, kind: SpanKind, context: Context | None = None
) -> AbstractContextManager[Span]:
    """Begin a span, which says nothing by itself of an exception: it would say its text."""
    assert _provider is not None  # noqa: S101 - `start` comes first
    return _provider.get_tracer("orderservice").start_as_current_span(
        name, context, kind, record_exception=False, set_status_on_exception=False
    )
