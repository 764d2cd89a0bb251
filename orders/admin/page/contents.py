"""What the order page shows: buttons, lines, timeline, notes and stock movements."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.safestring import SafeString

from orders.actor import Actor
from orders.admin import actions, words
from orders.admin.base import Textarea, TextInput
from orders.models import (
    Confirmation,
    Order,
    OrderEvent,
    OrderItem,
    StockAttempt,
    StockMovement,
)
from orders.status import StockState

NOTICES = {
    StockState.SETTLING: "Its stock is settling. That finishes by itself; reload to see how.",
    StockState.REVIEW: "What became of its stock is unknown, and a person must look.",
    StockState.SHORT: "The last confirmation found too little in stock. See the timeline.",
}


class VerbForm(forms.Form):
    """What a button sends: the version that its page showed, and for Cancel a reason."""

    expected_version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    reason = forms.CharField(
        required=False,
        max_length=200,
        help_text="Kept with the order's notes.",
        widget=TextInput,
    )


class NoteForm(forms.Form):
    """A note that staff add."""

    text = forms.CharField(
        max_length=2000,  # characters: the model's own limit
        widget=Textarea(attrs={"rows": 3}),
    )


@dataclass(frozen=True, slots=True)
class Line:
    """An item with its money in words."""

    product_id: str
    quantity: int
    unit_price: str
    subtotal: str


@dataclass(frozen=True, slots=True)
class Happening:
    """An event as the timeline tells it."""

    event: OrderEvent
    who: str
    change: str
    why: str


@dataclass(frozen=True, slots=True)
class Movement:
    """A stock movement with the evidence of what became of it."""

    movement: StockMovement
    change: str
    badge: SafeString
    calls: list[StockAttempt]
    evidence: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to confirm the order, with the movements that it planned."""

    confirmation: Confirmation
    who: str
    movements: list[Movement]


def context(order: Order, actor: Actor) -> dict[str, Any]:
    """Return the page's context; what the actor's roles don't let them see is None."""
    sees = actor.user.has_perm if actor.user else lambda permission: False
    events = list(order.events.all()) if sees("orders.view_orderevent") else None
    confirmations = _confirmations(order) if sees("orders.view_stockmovement") else None
    people = words.names(_labels(events or [], confirmations or []))
    return {
        "order": order,
        "total": words.money(order.total, order.currency),
        "status_badge": words.status_badge(order.status),
        "stock_badge": words.stock_badge(order.stock_state),
        "stock_notice": NOTICES.get(StockState(order.stock_state)),
        "reviews": actor.may("review"),
        "buttons": [
            verb
            for verb in actions.VERBS
            if actions.legal(verb, order) and actions.permitted(actor, verb, order)
        ],
        "verb_form": VerbForm(initial={"expected_version": order.version}),
        "lines": [_line(item, order.currency) for item in order.items.order_by("pk")],
        "timeline": events and [_happening(event, people) for event in reversed(events)],
        "attempts": confirmations and [_attempt(each, people) for each in confirmations],
        "notes": sees("orders.view_ordernote") and order.notes.select_related("author"),
        "note_form": NoteForm() if sees("orders.add_ordernote") else None,
    }


def _confirmations(order: Order) -> list[Confirmation]:
    """Return the order's confirmations, the newest first, with all that the page reads of them."""
    return list(order.confirmations.order_by("-pk").prefetch_related("movements__attempts"))


def _labels(events: Iterable[OrderEvent], confirmations: Iterable[Confirmation]) -> set[str]:
    """Return all actors that the page names."""
    labels = {event.actor for event in events}
    for confirmation in confirmations:
        labels.add(confirmation.actor)
        labels.update(movement.resolved_by for movement in confirmation.movements.all())
    return labels


def _line(item: OrderItem, currency: str) -> Line:
    return Line(
        item.product_id,
        item.quantity,
        words.money(item.unit_price, currency),
        words.money(item.subtotal, currency),
    )


def _happening(event: OrderEvent, people: dict[str, str]) -> Happening:
    moved = bool(event.from_status) and event.from_status != event.to_status
    change = f"{event.from_status} → {event.to_status}" if moved else ""
    return Happening(event, people[event.actor], change, words.explanation(event))


def _attempt(confirmation: Confirmation, people: dict[str, str]) -> Attempt:
    # Deductions before what gives them back, as they happened.
    every = sorted(confirmation.movements.all(), key=lambda each: (each.delta > 0, each.product_id))
    return Attempt(
        confirmation,
        people[confirmation.actor],
        [
            Movement(
                movement,
                words.change(movement.delta),
                words.movement_badge(movement.state),
                list(movement.attempts.all()),
                words.evidence(movement.resolved_by, people),
            )
            for movement in every
        ],
    )
