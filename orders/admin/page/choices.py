"""What a person can do with an order now: the next sensible action, and the others beside it."""

from dataclasses import dataclass

from django.urls import reverse

from orders.actor import Actor
from orders.admin import actions
from orders.admin.page.dialogs import Dialog, dialog
from orders.models import Order

# A review is decided first; of the verbs, the first that is possible and moves the order on.
_ONWARD = ("release", "confirm", "complete")
_BESIDE = ("hold", "cancel")


@dataclass(frozen=True, slots=True)
class Choice:
    """A button of the page: a link that its dialog, if it has one, opens instead."""

    text: str
    url: str
    dialog: Dialog | None = None
    is_main: bool = False


def of(order: Order, actor: Actor, review_url: str) -> list[Choice]:
    """Return what the actor may do with the order as it stands, the main action first.

    ``review_url`` is where the actor decides what became of its stock; empty when there is nothing
    to decide.
    """
    onward = [_by_dialog(verb, order, actor, is_main=True) for verb in _ONWARD]
    beside = [_by_dialog(verb, order, actor) for verb in _BESIDE]
    review = Choice("Decide the review", review_url, is_main=True) if review_url else None
    amend = None
    if actions.legal("amend", order) and actions.permitted(actor, "amend", order):
        amend = Choice("Correct", reverse("admin:orders_order_amend", args=[order.pk]))
    return [choice for choice in (review, *onward, amend, *beside) if choice]


def _by_dialog(verb: str, order: Order, actor: Actor, *, is_main: bool = False) -> Choice | None:
    if not (actions.legal(verb, order) and actions.permitted(actor, verb, order)):
        return None
    opened = dialog(verb, order, actor)
    return Choice(opened.button, opened.url, opened, is_main)
