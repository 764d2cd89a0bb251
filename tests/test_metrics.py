"""GET /metrics: who may ask, what it tells of the orders, and how the processes' counts add up."""

import inspect
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from inventory_client import client
from inventory_client.sandbox.server import Sandbox
from orders import figures, lifecycle
from orders.errors import InsufficientStock
from orders.models import ProcessReport
from orders.status import CancelReason, HoldReason
from orderservice.metrics import reports
from orderservice.metrics.reports import GONE_AFTER, Reporter, fold, together
from tests.admin.desk import in_review
from tests.factories import OPERATOR, order, order_of

pytestmark = pytest.mark.django_db

TOKEN = "a-token-of-the-operators"
Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(autouse=True)
def asked_for(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(reports, "_own", None)
    monkeypatch.setattr(figures, "DEADLINE", 10_000)  # the patience that a busy machine needs


def ask(token: str = TOKEN, method: str = "GET", **headers: str) -> Any:
    sent = {"Authorization": f"Bearer {token}"} if token else {}
    return Client().generic(method, "/metrics", headers=sent | headers)


def values() -> Values:
    answer = ask()
    assert answer.status_code == 200
    return {
        (each.name.removeprefix("orderservice_"), frozenset(each.labels.items())): each.value
        for family in text_string_to_metric_families(answer.content.decode())
        for each in family.samples
    }


def value(found: Values, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


def test_first_refusal_of_our_key_is_an_increase_whichever_call_meets_it() -> None:
    """A series that begins at 1 has not increased, to Prometheus."""
    calls = re.findall(r'(?:_ask|through_breaker)\(\s*"(\w+)"', inspect.getsource(client))
    assert "adjust" in calls
    counted = {
        name: samples for name, samples in values().items() if name[0].startswith("outgoing")
    }
    for call in calls:
        labels = {"service": "inventory", "call": call, "outcome": "misconfigured"}
        assert ("outgoing_calls_total", frozenset(labels.items())) in counted


def test_without_the_token_there_is_nothing(settings: Settings) -> None:
    nowhere = Client().get("/metrix")
    for method in ("GET", "POST", "OPTIONS"):
        for answer in (
            ask("", method),
            ask("a-token-of-the-operator", method),
            ask(TOKEN + "s", method),
            ask("ü", method),
            ask("", method, Authorization=f"Basic {TOKEN}"),
        ):
            assert answer.status_code == nowhere.status_code == 404
            assert answer.content == nowhere.content
    settings.METRICS_TOKEN = ""
    assert ask().status_code == ask("").status_code == 404


def test_with_the_token_it_is_read_only_and_speaks_both_formats() -> None:
    answer = ask()
    assert answer["Content-Type"].startswith("text/plain; version=")
    assert answer["Cache-Control"] == "no-store"
    assert ask(method="POST").status_code == 405
    modern = ask(Accept="application/openmetrics-text;version=1.0.0")
    assert modern["Content-Type"].startswith("application/openmetrics-text")
    assert modern.content.endswith(b"# EOF\n")


def test_requests_are_counted_by_template_and_status() -> None:
    placed = order()
    labels = {"method": "GET", "route": "api/orders/<str:order_id>"}
    before = values()
    Client().get(f"/api/orders/{placed.public_id}")
    Client().get("/api/orders/nobody")
    Client().generic("BREW", "/coffee")
    after = values()

    def more(name: str, **labels: str) -> float:
        key = name, frozenset(labels.items())
        return after[key] - before.get(key, 0.0)

    assert more("http_requests_total", status="200", **labels) == 1
    assert more("http_requests_total", status="404", **labels) == 1
    assert more("http_request_duration_seconds_count", **labels) == 2
    assert more("http_request_duration_seconds_bucket", le="+Inf", **labels) == 2
    assert more("http_requests_total", method="other", route="none", status="404") == 1


def test_orders_stock_and_queue_are_told(sandbox: Sandbox) -> None:
    in_review(sandbox)
    sandbox.store.set_stock({"9": 5, "7": 1})
    before = values()
    for verbs in ([], ["hold"], ["confirm"], ["confirm", "complete"], ["cancel"]):
        placed = order_of(p9=1)
        for verb in verbs:
            match verb:
                case "hold":
                    lifecycle.hold(placed.pk, actor=OPERATOR, reason=HoldReason.FRAUD)
                case "confirm":
                    lifecycle.confirm(placed.pk, actor=OPERATOR, hold=5)
                case "complete":
                    lifecycle.complete(placed.pk, actor=OPERATOR)
                case "cancel":
                    lifecycle.cancel(placed.pk, actor=OPERATOR, reason=CancelReason.CUSTOMER)
    short = order_of(p7=2)
    with pytest.raises(InsufficientStock):
        lifecycle.confirm(short.pk, actor=OPERATOR, hold=5)
    cache.clear()
    found = values()

    counts = {
        status: value(found, "orders", status=status) - value(before, "orders", status=status)
        for status in ("PENDING", "CONFIRMED", "COMPLETED", "CANCELLED")
    }
    assert counts == {"PENDING": 3, "CONFIRMED": 1, "COMPLETED": 1, "CANCELLED": 1}
    assert value(found, "orders_held") == 1
    assert value(found, "orders_short") == 1
    assert value(found, "reviews_open") == 1
    assert 0 < value(found, "oldest_pending_seconds") < 600
    assert value(found, "movements_in_flight", state="sent") == 0
    assert value(found, "workers") == 0
    assert value(found, "figures_answered", figures="stock") == 1
    assert value(found, "breaker_open", service="inventory") == 0
    assert value(found, "processes") == 1
    changes = {
        outcome: value(found, "confirmations_total", outcome=outcome)
        - before.get(("confirmations_total", frozenset({("outcome", outcome)})), 0)
        for outcome in ("confirmed", "insufficient_stock")
    }
    assert changes == {"confirmed": 2, "insufficient_stock": 1}
    calls = {"service": "inventory", "call": "adjust"}
    assert value(found, "outgoing_calls_total", outcome="answered", **calls) >= 2
    assert value(found, "outgoing_call_duration_seconds_count", **calls) >= 2


def test_figure_that_takes_too_long_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "DEADLINE", 50)
    monkeypatch.setattr(figures, "_BY_STATUS", "SELECT 'PENDING', pg_sleep(5)")
    found = values()
    assert value(found, "figures_answered", figures="orders") == 0
    assert value(found, "figures_answered", figures="queue") == 1
    assert not [name for name, _ in found if name == "orders"]


def test_without_the_database_it_says_so() -> None:
    with patch.object(BaseDatabaseWrapper, "cursor", side_effect=OperationalError("gone")):
        answer = ask()
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert b"gone" not in answer.content


class Process:
    """A process as `reports` has it, with instruments of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.count = Counter("things", "Things.", ["kind"], registry=self.registry)
        self.state = Gauge("state", "State.", registry=self.registry)
        self.state.set(1)
        self.reporter = Reporter("web", self.registry)

    def falls_silent(self) -> None:
        long_ago = timezone.now() - GONE_AFTER - timedelta(seconds=1)
        ProcessReport.objects.filter(pk=self.reporter._id).update(reported_at=long_ago)


@pytest.fixture
def nobody() -> Iterator[CollectorRegistry]:
    """A registry with the instruments' names, in which nothing is counted."""
    yield Process().registry


def told(registry: CollectorRegistry) -> dict[str, float]:
    sums, _ = together(registry)
    rows = [row for family in sums.values() for row in family]
    return {labels.get("kind", name): number for name, labels, number in rows}


def test_counts_of_processes_add_up_and_outlive_them(nobody: CollectorRegistry) -> None:
    one, other = Process(), Process()
    for process, number in ((one, 3), (other, 4)):
        process.count.labels("a").inc(number)
        process.reporter.report()
    assert told(nobody) == {"a": 7, "state": 2}

    one.falls_silent()
    assert told(nobody) == {"a": 7, "state": 1}
    assert (fold(nobody), fold(nobody)) == (1, 0)
    assert told(nobody) == {"a": 7, "state": 1}
    assert ProcessReport.objects.count() == 2

    one.count.labels("b").inc()  # it was only asleep
    one.reporter.report()
    one.reporter.report()
    assert told(nobody) == {"a": 7, "b": 1, "state": 2}


# What may come about: somebody counts, reports, falls silent and is folded, or ends for good.
STEPS = st.lists(
    st.tuples(st.sampled_from(["count", "report", "silent", "fold", "end"]), st.integers(0, 2)),
    max_size=30,
)


@examples(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_nothing_is_lost_or_counted_twice_whatever_comes_about(
    nobody: CollectorRegistry, steps: list[tuple[str, int]]
) -> None:
    ProcessReport.objects.all().delete()
    processes = [Process() for _ in range(3)]
    counted = 0
    for step, which in steps:
        process = processes[which]
        match step:
            case "count":
                process.count.labels("a").inc()
                counted += 1
            case "report":
                process.reporter.report()
            case "silent":
                process.falls_silent()
            case "fold":
                fold(nobody)
            case "end":  # with a last report, as on SIGTERM
                process.reporter.report()
                processes[which] = Process()
    for process in processes:
        process.reporter.report()
    assert told(nobody).get("a", 0) == counted
