"""The cards at the bottom: failures, the worker, the inventory, and what happened last."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.safestring import SafeString

from orders import figures, queries
from orders.admin import links, words
from orders.admin.dashboard.charts import Chart, chart
from orders.queries import Count
from orders.status import StockState

LATEST = 8  # events


@dataclass(frozen=True, slots=True)
class Reason:
    """Why confirmations failed, how often, and how wide its bar is."""

    text: str
    number: str
    width: str
    link: str


@dataclass(frozen=True, slots=True)
class Reasons:
    """The failures of the last days by reason and by day."""

    reasons: list[Reason]
    chart: Chart
    told: str
    labels: list[date]
    number: str
    days: int
    link: str
    counted_at: datetime


def failures(seen: figures.Failures) -> Reasons:
    """Return why confirmations failed, the commonest reason first, and on which days."""
    days = [day for day, _ in seen.days]
    told = [f"{day:%a %-d %b}: {number:,} failed" for day, number in seen.days]
    most = max((number for _, number in seen.reasons), default=1)
    return Reasons(
        [
            Reason(
                words.FAILURES[reason].capitalize(),
                f"{number:,}",
                f"{100 * number / most:.2f}%",
                links.failed_confirmations(reason=reason, since=seen.since),
            )
            for reason, number in seen.reasons
        ],
        chart([[("failed", number)] for _, number in seen.days], told),
        f"Failed confirmations by day. {'; '.join(told)}.",
        [days[0], days[-1]],
        f"{sum(number for _, number in seen.reasons):,}",
        len(days),
        links.failed_confirmations(since=seen.since),
        seen.counted_at,
    )


@dataclass(frozen=True, slots=True)
class WorkerCard:
    """Whether anybody works, and what waits for it."""

    badge: SafeString
    seen: str
    due: Count
    due_for: str
    jobs: Count
    link: str


def worker(seen: figures.Worker, now: datetime) -> WorkerCard:
    """Return whether workers are alive; without one, confirmations that wait are not finished."""
    if seen.alive:
        badge = words.badge(f"{seen.alive} running", "success")
    else:
        badge = words.badge("none running", "danger")
    beat = f"last sign of life {words.age(seen.beaten_at, now)} ago" if seen.beaten_at else ""
    return WorkerCard(
        badge,
        beat if not seen.alive else "",
        seen.due,
        f"for {words.age(seen.due_since, now)}" if seen.due_since else "",
        seen.jobs,
        links.order_list(stock=StockState.SETTLING),
    )


@dataclass(frozen=True, slots=True)
class CallsCard:
    """What the ledger's last calls say of the inventory."""

    ended: int
    share: str
    half_within: str
    most_within: str
    troubles: list[tuple[str, int]]
    minutes: int
    most: int


def calls(seen: figures.Calls) -> CallsCard:
    """Return the share of calls that were answered, and how fast."""
    share = 100 * seen.answered / seen.ended if seen.ended else 0.0
    return CallsCard(
        seen.ended,
        f"{share:.1f} %".replace("100.0", "100"),
        _milliseconds(seen.half_within),
        _milliseconds(seen.most_within),
        [(code.replace("_", " "), number) for code, number in seen.troubles],
        figures.LAST_CALLS_WITHIN // timedelta(minutes=1),
        figures.LAST_CALLS,
    )


def _milliseconds(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f} ms"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to an order lately."""

    number: int
    what: str
    who: str
    age: SafeString


def latest() -> list[Happening]:
    """Return what happened last, whatever the order."""
    events = list(queries.latest_events(LATEST))
    people = words.names(event.actor for event in events)
    return [
        Happening(
            event.order_id,
            event.get_kind_display(),
            people[event.actor],
            words.since(event.at),
        )
        for event in events
    ]
