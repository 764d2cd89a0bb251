"""What this process counts. Labels take few values, none of them a person's or an order's.

Names follow https://prometheus.io/docs/practices/naming/; docs/operations.md says what each is for.
"""

from enum import StrEnum

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

disable_created_metrics()  # type: ignore[no-untyped-call] # else each counter comes twice

PREFIX = "orderservice"
REGISTRY = CollectorRegistry()
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_requests = Counter(
    "http_requests",
    "Requests answered, by the template of their route.",
    ["method", "route", "status"],
    namespace=PREFIX,
    registry=REGISTRY,
)
_request_duration = Histogram(
    "http_request_duration_seconds",
    "How long requests took in Django; what a client took to send is not in it.",
    ["method", "route"],
    namespace=PREFIX,
    registry=REGISTRY,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_calls = Counter(
    "outgoing_calls",
    "Calls to other services, by what came of them; those not sent as the breaker was open, too.",
    ["service", "call", "outcome"],
    namespace=PREFIX,
    registry=REGISTRY,
)
_call_duration = Histogram(
    "outgoing_call_duration_seconds",
    "How long calls to other services took.",
    ["service", "call"],
    namespace=PREFIX,
    registry=REGISTRY,
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
confirmations = Counter(
    "confirmations",
    "Confirmations that came to an end, or to a person: confirmed, cancelled, review, or why not.",
    ["outcome"],
    namespace=PREFIX,
    registry=REGISTRY,
)
breaker_open = Gauge(
    "breaker_open",
    "In how many processes the way to another service is shut after failures in a row.",
    ["service"],
    namespace=PREFIX,
    registry=REGISTRY,
)


class MailOutcome(StrEnum):
    """What came of a mail with a link for a new password."""

    SENT = "sent"
    DELAYED = "delayed"  # not taken, and tried again
    GIVEN_UP = "given_up"
    REFUSED = "refused"  # its user has had enough of them


mails = Counter(
    "mails",
    "Mails for forgotten passwords, by what came of each attempt.",
    ["outcome"],
    namespace=PREFIX,
    registry=REGISTRY,
)

# To Prometheus a series that is born at 1 has not increased, and here the first time matters.
for _call in ("check", "read", "list", "health", "adjust"):
    _calls.labels("inventory", _call, "misconfigured")
for _outcome in MailOutcome:
    mails.labels(_outcome)


def request(method: str, route: str | None, status: int, seconds: float) -> None:
    """Count a request that was answered; ``route`` is its template, None where there was none."""
    method = method if method in METHODS else "other"
    route = route or "none"
    _requests.labels(method, route, status).inc()
    _request_duration.labels(method, route).observe(seconds)


def outgoing(service: str, call: str, outcome: str, seconds: float | None) -> None:
    """Count a call to another service; ``seconds`` is None when it was not made."""
    _calls.labels(service, call, outcome).inc()
    if seconds is not None:
        _call_duration.labels(service, call).observe(seconds)
