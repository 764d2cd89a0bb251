"""What was tried to give an order its stock, with the evidence of what became of each movement."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.safestring import SafeString

from orders.admin import words
from orders.models import Confirmation, Order, StockAttempt, StockMovement
from orders.status import MovementState


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


def confirmations(order: Order, most: int | None) -> list[Confirmation]:
    """Return the latest of the order's confirmations, with all that the page reads of them."""
    latest = order.confirmations.order_by("-pk")[:most]
    return list(latest.prefetch_related("movements__attempts"))


def labels(every: list[Confirmation]) -> set[str]:
    """Return all actors that the confirmations name."""
    found = {confirmation.actor for confirmation in every}
    for confirmation in every:
        found.update(movement.resolved_by for movement in confirmation.movements.all())
    return found


def review_url(every: list[Confirmation]) -> str:
    """Return where a person decides what became of a movement; empty when nobody must."""
    for confirmation in every:
        for movement in confirmation.movements.all():
            if movement.state == MovementState.REVIEW:
                return reverse("admin:orders_stockmovement_change", args=[movement.pk])
    return ""


def told(every: list[Confirmation] | None, people: dict[str, str]) -> list[Attempt] | None:
    """Return the confirmations as the page shows them; ``people`` are those of `words.names`."""
    return None if every is None else [_told(confirmation, people) for confirmation in every]


def _told(confirmation: Confirmation, people: dict[str, str]) -> Attempt:
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
