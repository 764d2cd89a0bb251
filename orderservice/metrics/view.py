"""``/metrics``: of the whole service, whichever process is asked."""

from __future__ import annotations

from collections.abc import Iterator
from hmac import compare_digest

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from orders.api.problems import read_only
from orderservice.database import RETRY_AFTER
from orderservice.metrics import figures, reports, samples
from orderservice.metrics.instruments import PREFIX, REGISTRY


def metrics(request: HttpRequest) -> HttpResponseBase:
    """Answer who shows ``METRICS_TOKEN``; for anybody else there is nothing here."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    expected = settings.METRICS_TOKEN.encode()
    is_ours = scheme.lower() == "bearer" and compare_digest(token.strip().encode(), expected)
    if not expected or not is_ours:
        raise Http404
    return _answer(request)


@read_only
def _answer(request: HttpRequest) -> HttpResponse:
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    registry = CollectorRegistry()
    try:
        registry.register(_Service())
        text = encode(registry)
    except (OperationalError, InterfaceError):
        return HttpResponse(
            "# the database can't be asked\n",
            content_type="text/plain",
            status=503,
            headers={"Retry-After": str(RETRY_AFTER)},
        )
    return HttpResponse(text, content_type=content_type, headers={"Cache-Control": "no-store"})


class _Service(Collector):
    def describe(self) -> list[Metric]:
        return []  # or registering would collect

    def collect(self) -> Iterator[Metric]:
        counted, processes = reports.all_together()
        yield from samples.families(REGISTRY, counted)
        yield GaugeMetricFamily(
            f"{PREFIX}_processes", "Processes that have reported lately.", value=processes
        )
        yield from figures.collect()
