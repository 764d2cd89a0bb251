"""What the order page shows: what can be done, lines, timeline, notes and stock movements."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django import forms

from orders import limits, queries
from orders.actor import Actor
from orders.admin import words
from orders.admin.base import Textarea
from orders.admin.page import choices, livestock, movements, timeline
from orders.admin.page.links import links
from orders.models import Order
from orders.status import PriceSource, StockState

_Row = TypeVar("_Row")

# What the page shows of a history at once; a link shows all of it.
MOST_EVENTS = 50
MOST_NOTES = 50
MOST_ATTEMPTS = 10

NOTICES = {
    StockState.SETTLING: "Its stock is settling. That finishes by itself; reload to see how.",
    StockState.REVIEW: "What became of its stock is unknown, and a person must look.",
    StockState.SHORT: "The last confirmation found too little in stock. See the timeline.",
}
# Nothing is said of prices that are as they should be.
PRICE_NOTICES = {
    PriceSource.SENT: "Prices as sent: nobody has compared them with the catalogue.",
    PriceSource.STAFF: "Prices by staff: somebody has changed one or more by hand, and nobody has"
    " compared them with the catalogue since.",
}


class NoteForm(forms.Form):
    """A note that staff add."""

    text = forms.CharField(max_length=limits.NOTE_LENGTH, widget=Textarea(attrs={"rows": 3}))


@dataclass(frozen=True, slots=True)
class Hold:
    """Why, since when and by whom the order is kept from being confirmed."""

    reason: str
    since: datetime | None
    who: str


def context(order: Order, actor: Actor, *, everything: bool = False) -> dict[str, Any]:
    """Return the page's context; what the actor's roles don't let them see is None.

    Long histories are cut, unless ``everything`` is asked for.
    """
    sees = actor.user.has_perm if actor.user else lambda permission: False
    events = attempts = notes = held = None
    if sees("orders.view_orderevent"):
        events = list(queries.events(order.pk).order_by("-pk")[: _most(MOST_EVENTS, everything)])
        held = queries.held_by(order)
    if sees("orders.view_stockmovement"):
        attempts = movements.confirmations(order, _most(MOST_ATTEMPTS, everything))
    if sees("orders.view_ordernote"):
        notes = list(queries.notes(order.pk).order_by("-pk")[: _most(MOST_NOTES, everything)])
    actors = {event.actor for event in [*(events or []), held] if event}
    people = words.names(actors | movements.labels(attempts or []))
    shown_events = _cut(events, MOST_EVENTS, everything)
    shown_attempts = _cut(attempts, MOST_ATTEMPTS, everything)
    shown_notes = _cut(notes, MOST_NOTES, everything)
    review = movements.review_url(attempts or []) if actor.may("review") else ""
    return livestock.context(order) | {
        "status_badge": words.status_badge(order.status),
        "stock_badge": words.stock_badge(order.stock_state),
        "stock_notice": NOTICES.get(StockState(order.stock_state)),
        "price_notice": PRICE_NOTICES.get(PriceSource(order.price_source)),
        "hold": _hold(order, people[held.actor] if held else ""),
        "reviews": actor.may("review"),
        "choices": choices.of(order, actor, review),
        "links": links(order, actor),
        "timeline": None if shown_events is None else timeline.told(shown_events, people),
        "timeline_is_cut": shown_events != events,
        "attempts": movements.told(shown_attempts, people),
        "attempts_are_cut": shown_attempts != attempts,
        "notes": shown_notes and shown_notes[::-1],
        "notes_are_cut": shown_notes != notes,
        "note_form": NoteForm() if sees("orders.add_ordernote") else None,
    }


def _hold(order: Order, who: str) -> Hold | None:
    if not order.hold_reason:
        return None
    return Hold(words.REASONS[order.hold_reason], order.held_since, who)


def _most(shown: int, everything: bool) -> int | None:
    """Return how many rows to read: one more than are shown tells that there are more."""
    return None if everything else shown + 1


def _cut(rows: list[_Row] | None, most: int, everything: bool) -> list[_Row] | None:
    return rows if rows is None or everything else rows[:most]
