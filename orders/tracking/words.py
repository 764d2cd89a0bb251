"""An order in its customer's words: how it stands, what has happened, and what it holds.

Nothing of how the shop works gets in here: no holds, no reasons, no notes, no names of staff, and
of the stock only that it is being looked at, or short.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from orders.models import OrderEvent
from orders.queries import OrderDetails
from orders.status import OPEN, UNSETTLED_STOCK, EventKind, OrderStatus, StockState
from orders.tracking import masking

# All that a customer hears of; every other kind of event is the shop's own business.
HAPPENINGS = {
    EventKind.PLACED: "We received your order",
    EventKind.AMENDED: "We corrected your order",
    EventKind.CONFIRMED: "We confirmed your order",
    EventKind.COMPLETED: "Your order is complete",
    EventKind.CANCELLED: "Your order was cancelled",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How an order stands; ``tone`` is the colour that goes with it."""

    headline: str
    explanation: str
    tone: str


RECEIVED = Standing(
    "We have your order",
    "Thank you. We will look at it soon, and this page will tell you when it is confirmed.",
    "received",
)
CHECKING = Standing(
    "We are checking the stock",
    "Your confirmation is on its way. It mostly takes a moment; now and then a person looks at it.",
    "received",
)
SHORT = Standing(
    "Something is out of stock just now",
    "We are sorry: not all of your order is on our shelves at the moment. It is still with us,"
    " and you need not do anything.",
    "short",
)
CANCELLING = Standing(
    "We are cancelling your order", "This page will tell you when it is done.", "cancelled"
)
CONFIRMED = Standing(
    "Your order is confirmed", "All that you ordered is set aside for you.", "confirmed"
)
COMPLETED = Standing(
    "Your order is complete", "There is nothing left to do. Thank you for ordering.", "completed"
)
CANCELLED = Standing(
    "This order was cancelled",
    "We do not go on with it, and there is nothing that you need to do.",
    "cancelled",
)


@dataclass(frozen=True, slots=True)
class Step:
    """A station of an order's way: ``done``, ``next``, ``ahead`` or ``stopped``."""

    name: str
    state: str
    at: datetime | None = None
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """Pieces of one product at one price."""

    product_id: str
    quantity: int
    price: str
    subtotal: str
    is_short: bool


@dataclass(frozen=True, slots=True)
class Told:
    """All that the page says of an order."""

    number: int
    placed: datetime
    standing: Standing
    steps: Sequence[Step]
    happenings: Sequence[tuple[str, datetime]]
    lines: Sequence[Line]
    total: str
    currency: str
    email: str
    city: str
    is_final: bool


def told(order: OrderDetails, events: Iterable[OrderEvent]) -> Told:
    """Tell an order that has come with its details, and its events, oldest first."""
    every = list(events)
    at = {EventKind(event.kind): event.at for event in every}
    standing = _standing(order, every)
    happenings = [
        (HAPPENINGS[kind], event.at)
        for event in every
        if (kind := EventKind(event.kind)) in HAPPENINGS and kind != EventKind.PLACED
    ]
    placed = (HAPPENINGS[EventKind.PLACED], order.created_at)
    return Told(
        number=order.number,
        placed=order.created_at,
        standing=standing,
        steps=_steps(order, at),
        happenings=[placed, *happenings][::-1],
        lines=_lines(order),
        total=_money(order.total),
        currency=order.currency,
        email=masking.email(order.email),
        city=masking.city(order.city),
        is_final=order.status not in OPEN,
    )


def _standing(order: OrderDetails, events: Sequence[OrderEvent]) -> Standing:
    match order.status:
        case OrderStatus.CONFIRMED:
            return CONFIRMED
        case OrderStatus.COMPLETED:
            return COMPLETED
        case OrderStatus.CANCELLED:
            return CANCELLED
    if order.stock_state in UNSETTLED_STOCK:
        return CANCELLING if _is_being_cancelled(events) else CHECKING
    return SHORT if order.stock_state == StockState.SHORT else RECEIVED


def _is_being_cancelled(events: Sequence[OrderEvent]) -> bool:
    """Tell whether the stock that moves is given back, rather than taken."""
    asked = (EventKind.CONFIRMATION_REQUESTED, EventKind.CANCELLATION_REQUESTED)
    kinds = [event.kind for event in events if event.kind in asked]
    return bool(kinds) and kinds[-1] == EventKind.CANCELLATION_REQUESTED


def _steps(order: OrderDetails, at: dict[EventKind, datetime]) -> list[Step]:
    """Return the way that the order goes; of a cancelled one only as far as it came."""
    names = {
        EventKind.PLACED: "Received",
        EventKind.CONFIRMED: "Confirmed",
        EventKind.COMPLETED: "Completed",
    }
    status = OrderStatus(order.status)
    at = at | {EventKind.PLACED: order.created_at}
    if status == OrderStatus.CANCELLED:
        came = [Step(name, "done", at[kind]) for kind, name in names.items() if kind in at]
        return [*came, Step("Cancelled", "stopped", at.get(EventKind.CANCELLED), is_current=True)]
    reached = [OrderStatus.PENDING, OrderStatus.CONFIRMED, OrderStatus.COMPLETED].index(status)
    return [
        Step(
            name,
            "done" if place <= reached else "next" if place == reached + 1 else "ahead",
            at.get(kind) if place <= reached else None,
            is_current=place == reached,
        )
        for place, (kind, name) in enumerate(names.items())
    ]


def _lines(order: OrderDetails) -> list[Line]:
    short: set[str] = set()
    if order.status == OrderStatus.PENDING and order.stock_state == StockState.SHORT:
        short = {shortage["product_id"] for shortage in order.shortages}
    return [
        Line(
            item.product_id,
            item.quantity,
            _money(item.unit_price),
            _money(item.subtotal),
            item.product_id in short,
        )
        for item in order.items
    ]


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"
