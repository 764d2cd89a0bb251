"""Orders and revenue by day: two charts, and the same numbers as a table."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from orders import figures
from orders.admin import links, words
from orders.admin.dashboard.charts import Chart, chart


@dataclass(frozen=True, slots=True)
class DayRow:
    """A day as the table beside the charts tells it."""

    day: date
    link: str
    orders: str
    cancelled: str
    revenue: str


@dataclass(frozen=True, slots=True)
class DayCharts:
    """Orders and revenue by day, with their sums."""

    orders: Chart
    revenue: Chart
    orders_total: str
    revenue_total: str
    orders_today: str
    revenue_today: str
    orders_told: str
    revenue_told: str
    cancelled_total: str
    foreign: int
    currency: str
    rows: list[DayRow]
    labels: list[date]
    counted_at: datetime


def days(seen: figures.Days) -> DayCharts:
    """Return the charts of the last days; cancelled orders are shown apart and bring nothing."""
    every, currency = seen.days, seen.currency
    kept, cancelled = sum(day.kept for day in every), sum(day.cancelled for day in every)
    revenue = sum((day.revenue for day in every), Decimal(0))
    most = max(every, key=lambda day: day.kept)
    best = max(every, key=lambda day: day.revenue)
    named = [f"{day.day:%a %-d %b}" for day in every]
    return DayCharts(
        orders=chart(
            [[("kept", day.kept), ("cancelled", day.cancelled)] for day in every],
            [
                f"{name}: {_orders(day.kept)}"
                + f", {day.cancelled:,} cancelled" * bool(day.cancelled)
                for name, day in zip(named, every, strict=True)
            ],
        ),
        revenue=chart(
            [[("kept", day.revenue)] for day in every],
            [
                f"{name}: {words.money(day.revenue, currency)}"
                for name, day in zip(named, every, strict=True)
            ],
            whole=False,
        ),
        orders_total=f"{kept:,}",
        revenue_total=words.money(revenue, currency),
        orders_today=f"{every[-1].kept:,}",
        revenue_today=words.money(every[-1].revenue, currency),
        orders_told=(
            f"Orders by day, the last {len(every)} days: {_orders(kept)}"
            f" and {cancelled:,} cancelled; most on {most.day:%-d %B}, {most.kept:,}."
        ),
        revenue_told=(
            f"Revenue by day, the last {len(every)} days: {words.money(revenue, currency)};"
            f" most on {best.day:%-d %B}, {words.money(best.revenue, currency)}."
        ),
        cancelled_total=f"{cancelled:,}",
        foreign=sum(day.foreign for day in every),
        currency=currency,
        rows=[_day(day, currency) for day in reversed(every)],
        labels=[every[0].day, every[len(every) // 2].day, every[-1].day],
        counted_at=seen.counted_at,
    )


def _orders(number: int) -> str:
    return f"{number:,} order" + "s" * (number != 1)


def _day(day: figures.Day, currency: str) -> DayRow:
    link = links.order_list(
        placed_from=figures.midnight(day.day),
        placed_before=figures.midnight(day.day + timedelta(days=1)),
    )
    return DayRow(
        day.day,
        link,
        f"{day.kept:,}",
        f"{day.cancelled:,}",
        words.money(day.revenue, currency),
    )
