"""The tiles at the top: what waits for somebody, how many and for how long."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from orders import figures
from orders.admin import links, words
from orders.queries import Count
from orders.status import OrderStatus, StockState


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a tile's number, with a list of its own."""

    number: Count
    word: str
    link: str


@dataclass(frozen=True, slots=True)
class Tile:
    """A number that is a link to the list that it counts; ``tone`` colours it unless it is 0."""

    title: str
    icon: str
    number: Count
    note: str
    tone: str = ""
    link: str = ""
    parts: tuple[Part, ...] = ()

    @property
    def alarming(self) -> str:
        """The tone, if there is anything to be alarmed about."""
        return self.tone if self.number else ""


def open_orders(seen: figures.OpenOrders, due_before: datetime, now: datetime) -> list[Tile]:
    """Return what is pending, and what is past its due age."""
    parts = (
        Part(
            seen.due_pending,
            "pending",
            links.order_list(status=OrderStatus.PENDING, placed_before=due_before),
        ),
        Part(
            seen.due_confirmed,
            "confirmed",
            links.order_list(status=OrderStatus.CONFIRMED, placed_before=due_before),
        ),
    )
    return [
        Tile(
            "Pending",
            "pending_actions",
            seen.pending,
            _oldest(seen.oldest, now) or "nobody waits",
            link=links.order_list(status=OrderStatus.PENDING),
        ),
        Tile(
            "Past due",
            "alarm",
            seen.due,
            f"open, over {settings.ORDER_DUE_HOURS} h old",
            tone="warning",
            parts=parts,
        ),
        Tile(
            "On hold",
            "front_hand",
            seen.held,
            _oldest(seen.held_since, now) or "nothing is held",
            tone="info",
            link=links.order_list(on_hold=True),
        ),
    ]


def stock(seen: figures.StockQueues, now: datetime) -> list[Tile]:
    """Return the queues of the ledger: what is short, on its way, or waits for a person."""
    return [
        Tile(
            "Short",
            "production_quantity_limits",
            seen.short,
            "too little in stock" if seen.short else "nothing is short",
            tone="warning",
            link=links.order_list(stock=StockState.SHORT),
        ),
        Tile(
            "Settling",
            "hourglass_top",
            seen.settling,
            _oldest(seen.settling_since, now) or "all is settled",
            tone="info",
            link=links.order_list(stock=StockState.SETTLING),
        ),
        Tile(
            "Review",
            "troubleshoot",
            seen.review,
            _oldest(seen.review_since, now) or "nothing to decide",
            tone="danger",
            link=links.reviews(),
        ),
    ]


def _oldest(since: datetime | None, now: datetime) -> str:
    return f"oldest {words.age(since, now)}" if since else ""
