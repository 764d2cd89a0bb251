"""What the database tells of the orders, at the moment that somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from django.utils import timezone
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from orders import figures, queries
from orderservice.metrics.instruments import PREFIX


def collect() -> Iterator[Metric]:
    """Yield what can be told; a statement that is not answered in time costs its own figures."""
    answered = _gauge(
        "figures_answered", "Whether the database answered in time.", labels=["figures"]
    )
    for name, read in _FIGURES.items():
        try:
            yield from read()
        except queries.Unanswered:
            answered.add_metric([name], 0)
        else:
            answered.add_metric([name], 1)
    yield answered


def _orders() -> Iterator[Metric]:
    counts = _gauge("orders", "Orders by status.", labels=["status"])
    for status, number in figures.by_status().items():
        counts.add_metric([status], number)
    yield counts


def _open() -> Iterator[Metric]:
    found = figures.open_orders(timezone.now())
    yield _gauge("orders_held", "Open orders on hold; 10,000 at most are counted.", found.held)
    yield _gauge("oldest_pending_seconds", "Age of the oldest PENDING order.", _age(found.oldest))


def _stock() -> Iterator[Metric]:
    found = figures.stock_queues()
    yield _gauge("reviews_open", "Stock movements that wait for a person.", found.review)
    yield _gauge("oldest_review_seconds", "How long one has waited.", _age(found.review_since))
    yield _gauge("orders_short", "Orders whose confirmation lacked stock.", found.short)
    yield _gauge("orders_settling", "Orders whose stock is not clear yet.", found.settling)
    yield _gauge(
        "oldest_settling_seconds", "How long one has not been clear.", _age(found.settling_since)
    )
    moving = _gauge("movements_in_flight", "Stock movements under way.", labels=["state"])
    for state, number in figures.movements_in_flight().items():
        moving.add_metric([state], number)
    yield moving


def _queue() -> Iterator[Metric]:
    found = figures.worker()
    yield _gauge("workers", "Workers that have shown a sign of life lately.", found.alive)
    yield _gauge("queue_jobs", "Jobs that wait for a worker.", found.jobs)
    yield _gauge("queue_due", "Confirmations that are due for a worker.", found.due)
    yield _gauge(
        "queue_age_seconds", "How long the oldest of them has been due.", _age(found.due_since)
    )


_FIGURES: dict[str, Callable[[], Iterator[Metric]]] = {
    "orders": _orders,
    "open": _open,
    "stock": _stock,
    "queue": _queue,
}


def _gauge(
    name: str, documentation: str, value: float | None = None, labels: list[str] | None = None
) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", documentation, value=value, labels=labels)


def _age(since: datetime | None) -> float:
    return max(0.0, (timezone.now() - since).total_seconds()) if since else 0.0
