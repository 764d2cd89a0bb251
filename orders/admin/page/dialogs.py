"""The verbs' dialogs: each says what will happen, asks for what the verb needs, and then sends it.

The same form stands in a ``<dialog>`` of the order page and on a page of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django import forms
from django.http import QueryDict
from django.urls import reverse

from orders import limits, queries
from orders.actor import Actor
from orders.admin import actions, words
from orders.admin.base import Select, Textarea
from orders.lifecycle import lines
from orders.models import Order
from orders.status import CancelReason, HoldReason, OrderStatus

PRESSED = {
    "confirm": "Confirm",
    "complete": "Complete",
    "cancel": "Cancel the order",
    "hold": "Put on hold",
    "release": "Release",
}
SHORT = PRESSED | {"cancel": "Cancel", "hold": "Hold"}  # where the order stands beside it


def _choices(reasons: Iterable[StrEnum]) -> list[tuple[str, str]]:
    worded = [(str(each), words.REASONS[each]) for each in reasons]
    return [("", "Choose…"), *((word, text[:1].upper() + text[1:]) for word, text in worded)]


class VerbForm(forms.Form):
    """What every dialog sends: the version of the order that its page showed."""

    expected_version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class NotedForm(VerbForm):
    """With a note, which is kept with the order's."""

    note = forms.CharField(
        label="Note (optional)",
        required=False,
        max_length=limits.NOTE_LENGTH,
        widget=Textarea(attrs={"rows": 2}),
    )


class CancelForm(NotedForm):
    """Why it is cancelled."""

    field_order = ("expected_version", "reason", "note")
    reason = forms.ChoiceField(
        choices=_choices(each for each in CancelReason if each != CancelReason.EXPIRED),
        widget=Select,
    )


class HoldForm(NotedForm):
    """Why nobody may confirm it."""

    field_order = ("expected_version", "reason", "note")
    reason = forms.ChoiceField(choices=_choices(HoldReason), widget=Select)


FORMS: dict[str, type[VerbForm]] = {
    "confirm": VerbForm,
    "complete": VerbForm,
    "cancel": CancelForm,
    "hold": HoldForm,
    "release": NotedForm,
}


@dataclass(frozen=True, slots=True)
class Dialog:
    """A verb's form with what it will do; ``possible`` is false when the order has moved on."""

    verb: str
    url: str
    title: str
    consequences: list[str]
    form: VerbForm
    possible: bool

    @property
    def id(self) -> str:
        """Return what the page calls the dialog."""
        return f"dialog-{self.verb}"

    @property
    def button(self) -> str:
        """Return what opens it."""
        return SHORT[self.verb]

    @property
    def pressed(self) -> str:
        """Return what its own button says."""
        return PRESSED[self.verb]

    @property
    def is_dangerous(self) -> bool:
        """Tell whether its button is red."""
        return self.verb == "cancel"


def form_of(verb: str, order: Order, sent: QueryDict | None = None) -> VerbForm:
    """Return the verb's form: as it was sent, or for the order as it is."""
    form = FORMS[verb](
        sent,
        initial={"expected_version": order.version},
        auto_id=f"{verb}-%s",  # several stand on one page
    )
    if isinstance(form, HoldForm) and sent is None:  # only another reason would change anything
        others = [each for each in HoldReason if each != order.hold_reason]
        # The stubs know a form's fields as plain ones, without choices.
        form.fields["reason"].choices = _choices(others)  # type: ignore[attr-defined]
    return form


def again(verb: str, order: Order, sent: QueryDict) -> VerbForm:
    """Return the form with what was typed, and the version that its sender is shown now."""
    kept = sent.copy()
    kept["expected_version"] = str(order.version)
    return form_of(verb, order, kept)


def dialog(verb: str, order: Order, actor: Actor, form: VerbForm | None = None) -> Dialog:
    """Return the verb's dialog for the order as it is."""
    possible = actions.legal(verb, order) and actions.permitted(actor, verb, order)
    return Dialog(
        verb,
        reverse(f"admin:orders_order_{verb}", args=[order.pk]),
        f"{PRESSED[verb]}: {order}",
        _consequences(verb, order) if possible else [why_not(order)],
        form or form_of(verb, order),
        possible,
    )


def why_not(order: Order) -> str:
    state = "on hold" if order.hold_reason else order.status
    busy = ", and its stock is on its way" if actions.is_busy(order) else ""
    return f"That can't be done any more: the order is {state}{busy}."


def _consequences(verb: str, order: Order) -> list[str]:
    """Return what the verb will do, a sentence each."""
    match verb:
        case "confirm":
            return [
                f"Takes {words.pieces(lines.needs(queries.items(order)))} from stock.",
                "If there is too little of one product, nothing is kept of any.",
            ]
        case "complete":
            return ["Final: the goods have left.", "Nothing can be given back to stock after this."]
        case "hold":
            if order.hold_reason:
                return [f"It is on hold already: {_reason(order)}. The new reason takes its place."]
            return ["Nobody confirms it, bulk and API included, until somebody releases it."]
        case "release":
            return [f"It may be confirmed again. It is on hold for this: {_reason(order)}."]
        case _:
            return [_given_back(order), "Final: a cancelled order is not opened again."]


def _reason(order: Order) -> str:
    return words.REASONS[order.hold_reason]


def _given_back(order: Order) -> str:
    """Return what cancelling gives back to stock."""
    if order.status == OrderStatus.CONFIRMED:
        taken = queries.taken(order)
        if taken:
            return f"Gives {words.pieces(taken)} back to stock."
        return "Gives nothing back: by the ledger, nothing was taken for it."
    if actions.is_busy(order):
        return "Stops the confirmation that is under way; what it has taken is given back."
    return "Nothing was taken from stock, so nothing is given back."
