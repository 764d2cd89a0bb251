"""How the order desk words and colours what the models hold."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from orders.errors import Shortage
from orders.models import OrderEvent, OrderItem, User
from orders.status import (
    CancelReason,
    Door,
    EventKind,
    FailureReason,
    HoldReason,
    MovementState,
    OrderStatus,
    StockState,
    Verb,
)

# The colours are unfold's label types; a word always stands beside them.
STATUS_COLOURS = {
    OrderStatus.PENDING: "warning",
    OrderStatus.CONFIRMED: "info",
    OrderStatus.COMPLETED: "success",
    OrderStatus.CANCELLED: "",
}
STOCK_COLOURS = {
    StockState.SETTLING: "info",
    StockState.REVIEW: "danger",
    StockState.SHORT: "warning",
}
MOVEMENT_COLOURS = {
    MovementState.APPLIED: "success",
    MovementState.REJECTED: "warning",
    MovementState.UNKNOWN: "warning",
    MovementState.REVIEW: "danger",
}
FAILURES: dict[str, str] = {
    FailureReason.INSUFFICIENT_STOCK: "not enough in stock",
    FailureReason.INVENTORY_UNAVAILABLE: "the inventory service could not be asked",
    FailureReason.INVENTORY_REFUSED: "the inventory service refused the change",
    FailureReason.CANCELLED: "cancelled",
}
# Why an order is cancelled or on hold.
REASONS: dict[str, str] = {
    CancelReason.CUSTOMER: "the customer asked for it",
    CancelReason.OUT_OF_STOCK: "out of stock",
    CancelReason.PAYMENT: "a question about the payment",
    CancelReason.DUPLICATE: "ordered twice",
    CancelReason.FRAUD: "suspected fraud",
    CancelReason.ADDRESS: "a question about the address",
    CancelReason.OTHER: "another reason",
    CancelReason.EXPIRED: "nobody confirmed it in time",
    HoldReason.STOCK: "waits for stock",
}
# What is asked for, as buttons and headings say it.
ASKED = {
    Verb.CONFIRM: "Confirm",
    Verb.COMPLETE: "Complete",
    Verb.CANCEL: "Cancel",
    Verb.HOLD: "Hold",
    Verb.RELEASE: "Release",
}
# What has been done to an order, by the verb of its batch.
DONE = {
    Verb.CONFIRM: "confirmed",
    Verb.COMPLETE: "completed",
    Verb.CANCEL: "cancelled",
    Verb.HOLD: "put on hold",
    Verb.RELEASE: "released",
}
# Why an order of a batch was refused, in a word or two, by the error's code.
REFUSALS = {
    "insufficient_stock": "short",
    "inventory_unavailable": "inventory away",
    "inventory_refused": "inventory refused",
    "illegal_transition": "wrong state",
    "not_pending": "wrong state",
    "being_confirmed": "being confirmed",
    "on_hold": "on hold",
    "forbidden": "not allowed",
}
# What can happen to an order, as its timeline says it.
EVENTS = {
    EventKind.PLACED: "Placed",
    EventKind.CONFIRMATION_REQUESTED: "Confirmation asked for",
    EventKind.CONFIRMATION_FAILED: "Not confirmed",
    EventKind.REVIEW_NEEDED: "A person must look at its stock",
    EventKind.REVIEW_RESOLVED: "Review decided",
    EventKind.CONFIRMED: "Confirmed",
    EventKind.COMPLETED: "Completed",
    EventKind.CANCELLATION_REQUESTED: "Cancellation asked for",
    EventKind.CANCELLED: "Cancelled",
    EventKind.RESTOCKED: "Stock given back",
    EventKind.HELD: "Put on hold",
    EventKind.RELEASED: "Released",
    EventKind.AMENDED: "Corrected",
    EventKind.ERASED: "Personal data erased",
}
DOORS = {
    Door.API: "through the API",
    Door.ADMIN: "in the admin",
    Door.COMMAND: "by a command",
    Door.WORKER: "by the worker",
}
EVIDENCE = {
    "response": "known from the call's answer",
    "snapshot": "known from the stock before the call",
    "readback": "known from reading the stock back",
    "replay": "known from repeating the call",
}
_GLANCE = 3  # items that the list shows of an order
_SPELT_OUT = 8  # products that a sentence names


@lru_cache(maxsize=200)  # a list shows the same few in each of its rows
def badge(word: str, colour: str) -> SafeString:
    """Return a coloured label with a word."""
    return render_to_string("unfold/helpers/label.html", {"text": word, "type": colour})


def status_badge(status: str) -> SafeString:
    """Return an order's status as a label."""
    return badge(status.lower(), STATUS_COLOURS[OrderStatus(status)])


def stock_badge(state: str) -> SafeString | str:
    """Return an order's stock state as a label; nothing when all is well."""
    if state == StockState.CLEAR:
        return ""
    return badge(state, STOCK_COLOURS[StockState(state)])


def movement_badge(state: str) -> SafeString:
    """Return a stock movement's state as a label."""
    return badge(state, MOVEMENT_COLOURS.get(MovementState(state), ""))


def money(amount: Decimal, currency: str) -> str:
    """Return an amount with its currency: ``1,234.50 USD``."""
    return f"{amount:,.2f} {currency}"


def glance(items: Iterable[OrderItem]) -> str:
    """Return the first few items, and how many more there are."""
    every = [str(item) for item in items]
    more = len(every) - _GLANCE
    return ", ".join(every[:_GLANCE]) + (f", +{more} more" if more > 0 else "")


def pieces(quantities: Mapping[str, int]) -> str:
    """Return pieces of products as a part of a sentence: ``2 × 10 and 1 × 9``."""
    every = [f"{quantity} × {product_id}" for product_id, quantity in quantities.items()]
    more = len(every) - _SPELT_OUT
    if more > 0:
        every[_SPELT_OUT:] = [f"{more} more product{'s' if more > 1 else ''}"]
    return " and ".join([", ".join(every[:-1]), every[-1]] if len(every) > 1 else every)


def age(since: datetime, now: datetime) -> str:
    """Return for how long something has been waiting, in the largest unit that still tells."""
    passed = max(now - since, timedelta(0))
    if passed < timedelta(hours=1):
        return f"{passed // timedelta(minutes=1)} min"
    if passed < timedelta(days=2):
        return f"{passed // timedelta(hours=1)} h"
    return f"{passed.days} d"


def since(moment: datetime) -> SafeString:
    """Return for how long it has been so, and when exactly it began, on hovering."""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        f"{moment:%Y-%m-%d %H:%M %Z}",
        age(moment, timezone.now()),
    )


def change(delta: int) -> str:
    """Return a change of stock with its sign: ``−2``."""
    return f"{delta:+d}".replace("-", "−")


def shortage(items: Iterable[dict[str, Any]]) -> str:
    """Return what was short, product by product."""
    return "; ".join(str(Shortage(**item)) for item in items)


def names(labels: Iterable[str]) -> dict[str, str]:
    """Return how people know each actor: ``user:12`` by the username, others as they are."""
    every = set(labels)
    ids = {label: label.removeprefix("user:") for label in every if label.startswith("user:")}
    users = User.objects.filter(pk__in=[pk for pk in ids.values() if pk.isdecimal()])
    known = {f"user:{pk}": name for pk, name in users.values_list("pk", "username")}
    return {label: known.get(label, label) for label in every}


def refusal(code: str) -> str:
    """Return why an order was refused, in a word or two."""
    return REFUSALS.get(code, code.replace("_", " ") or "failed")


def evidence(resolved_by: str, people: dict[str, str]) -> str:
    """Return how it is known what became of a movement: by machine, or by whose decision."""
    if not resolved_by:
        return ""
    return EVIDENCE.get(resolved_by) or f"decided by {people[resolved_by]}"


def explanation(event: OrderEvent) -> str:
    """Return why it happened: short products by name, a failure in words, what staff decided."""
    if event.kind == EventKind.REVIEW_RESOLVED:
        return "it was applied" if event.data["applied"] else "it was not applied"
    if shortages := shortage(event.data.get("items") or []):
        return shortages
    if event.kind == EventKind.AMENDED:
        return _amendment(**event.data)
    if "batch" in event.data:
        return f"with batch {event.data['batch']}"
    reason = str(event.data.get("reason", ""))
    return FAILURES.get(reason) or REASONS.get(reason, reason)


def _amendment(fields: list[str], went: list[str], came: list[str]) -> str:
    """Return what an amendment changed: names of fields, and the lines that went and came."""
    said = [name.replace("_", " ") for name in fields]
    said += [f"− {line}" for line in went] + [f"+ {line}" for line in came]
    return ", ".join(said)
