"""What the review desk shows of a movement: the evidence side by side, and what deciding does."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.utils.safestring import SafeString

from orders import limits
from orders.admin import words
from orders.admin.base import Textarea
from orders.models import OrderEvent, StockMovement
from orders.status import ConfirmationState, EventKind, MovementState
from orders.stock import movements

MOST_OTHERS = 20  # movements of the product since; the first tell most


class DecisionForm(forms.Form):
    """Which button was pressed, how one knows, and the fence of the review that the page showed.

    The fence grows with each decision. A movement that came back into review later is another
    question, which an old page must not answer.
    """

    applied = forms.TypedChoiceField(
        choices=[("yes", "Applied"), ("no", "Not applied")], coerce=lambda value: value == "yes"
    )
    fence = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    note = forms.CharField(
        max_length=limits.NOTE_LENGTH,
        widget=Textarea(attrs={"rows": 3, "aria-describedby": "note-help note-errors"}),
        error_messages={"required": "Say how you know: a decision without a reason is a guess."},
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody has decided about the movement."""

    who: str
    at: datetime
    applied: bool

    def __str__(self) -> str:
        return f"{self.who} decided that it was {'' if self.applied else 'not '}applied"


@dataclass(frozen=True, slots=True)
class Other:
    """Another movement of the same product."""

    movement: StockMovement
    change: str
    badge: SafeString


def context(movement: StockMovement, form: DecisionForm | None) -> dict[str, Any]:
    """Return the page's context; without a form, there is nothing that this person can decide."""
    before = movement.before_quantity
    others = _others(movement)
    when_applied, when_not = _consequences(movement)
    return {
        "title": f"Review of order {movement.confirmation.order}",
        "movement": movement,
        "order": movement.confirmation.order,
        "change": words.change(movement.delta),
        "badge": words.movement_badge(movement.state),
        "expected": None if before is None else before + movement.delta,
        "reading": _reading(movement),
        "reason": movements.reason(movement.confirmation.order_id, movement.pk),
        "calls": movement.attempts.all(),
        "when_applied": when_applied,
        "when_not": when_not,
        "others": others[:MOST_OTHERS],
        "more_others": len(others) > MOST_OTHERS,
        "decisions": decisions(movement),
        "undecided": movement.state == MovementState.REVIEW,
        "form": form,
    }


def decisions(movement: StockMovement) -> list[Decision]:
    """Return what was decided about the movement, the oldest first.

    From the order's history: what the row says of it is gone when the movement is done again.
    """
    events = list(
        OrderEvent.objects.filter(
            order=movement.confirmation.order_id,
            kind=EventKind.REVIEW_RESOLVED,
            data__movement=str(movement.pk),
        )
    )
    people = words.names(event.actor for event in events)
    return [Decision(people[each.actor], each.at, each.data["applied"]) for each in events]


def _others(movement: StockMovement) -> list[Other]:
    """Return what else we did to the product since, as far as shown and one more."""
    found = (
        StockMovement.objects.filter(
            product_id=movement.product_id, sent_at__gt=movement.sent_at or movement.created_at
        )
        .exclude(pk=movement.pk)
        .select_related("confirmation")
        .order_by("sent_at")
    )
    return [
        Other(each, words.change(each.delta), words.movement_badge(each.state))
        for each in found[: MOST_OTHERS + 1]
    ]


def _reading(movement: StockMovement) -> str:
    """Return what the two snapshots say; they never prove it, or no person would be asked."""
    before, after = movement.before_quantity, movement.after_quantity
    if movement.rejection:
        return f"The inventory service refused it: {movement.rejection}."
    if before is None or after is None:
        return "The stock could not be read back, so the snapshots say nothing."
    if after == before + movement.delta:
        return "As if it had been applied. No proof: somebody else may have changed it so."
    if after == before:
        return "The quantity is as before, but not provably untouched."
    return f"Somebody else changed the stock: {words.change(after - before)} since before the call."


def _consequences(movement: StockMovement) -> tuple[str, str]:
    """Return what deciding "applied" and "not applied" will do, in words."""
    what = f"{words.change(movement.delta)} × {movement.product_id}"
    if movement.delta > 0:
        return "Counts as given back; the order goes on.", f"Will be asked for again: {what}."
    confirmation = movement.confirmation
    wanted = (
        confirmation.state == ConfirmationState.RUNNING
        and confirmation.cancel_requested_at is None
        and not confirmation.movements.filter(state=MovementState.REJECTED).exists()
    )
    if wanted:
        return "Counts as taken; the order goes on.", f"Will be asked for again: {what}."
    return (
        "Counts as taken; it is given back then, for the order no longer wants it.",
        "Counts as not taken; nothing more is asked for, for the order no longer wants it.",
    )
