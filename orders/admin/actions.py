"""What staff can do to orders, and how each order's outcome is told to them.

Plain functions over the lifecycle: the dialogs of the order page and the actions of the list call
the same ones, and Django's stock admin could.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.db import OperationalError, connection

from orders import lifecycle
from orders.actor import Actor
from orders.admin import words
from orders.errors import OnHold, OrderError, OrderNotFound
from orders.models import Order
from orders.status import LEGAL_MOVES, UNSETTLED_STOCK, OrderStatus, StockState, Verb

# The verbs that lead to another status.
VERBS = {
    "confirm": OrderStatus.CONFIRMED,
    "complete": OrderStatus.COMPLETED,
    "cancel": OrderStatus.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a verb for one order: a level of Django's messages, and the message."""

    number: int
    level: int
    text: str
    error: OrderError | None = None


def permitted(actor: Actor, verb: str, order: Order) -> bool:
    """Tell whether the actor may do this to this order."""
    return actor.may_cancel(order) if verb == "cancel" else actor.may(verb)


def is_busy(order: Order) -> bool:
    """Tell whether the order's stock is on its way."""
    return order.stock_state in UNSETTLED_STOCK


def is_at_rest(order: Order) -> bool:
    """Tell whether the order is PENDING and nobody moves its stock."""
    return order.status == OrderStatus.PENDING and not is_busy(order)


def legal(verb: str, order: Order) -> bool:
    """Tell whether the verb makes sense for the order as it stands.

    While stock is on its way, confirming again would only join; cancelling can still stop it.
    """
    match verb:
        case "confirm":
            return is_at_rest(order) and not order.hold_reason
        case "hold" | "amend":
            return is_at_rest(order)
        case "release":
            return bool(order.hold_reason)
        case _:
            possible = VERBS[verb] in LEGAL_MOVES[OrderStatus(order.status)]
            return possible and (verb == "cancel" or not is_busy(order))


def is_done(verb: str, order: Order, *, reason: str = "") -> bool:
    """Tell whether the order is already as the verb would make it."""
    match verb:
        case "hold":
            return order.hold_reason == reason
        case "release":
            return not order.hold_reason
        case _:
            return order.status == VERBS[verb]


def run(
    verb: str,
    numbers: Iterable[int],
    actor: Actor,
    *,
    expected_version: int | None = None,
    reason: str = "",
    note: str = "",
) -> list[Outcome]:
    """Do the verb to each order, oldest first, and return one outcome an order.

    ``expected_version`` is the version that the actor has seen; ``reason`` is a word of
    `CancelReason` or `HoldReason`. One order's failure stops none of the others.
    """
    return [
        _outcome(verb, number, actor, expected_version, reason, note) for number in sorted(numbers)
    ]


def _outcome(
    verb: str, number: int, actor: Actor, version: int | None, reason: str, note: str
) -> Outcome:
    try:
        order = lifecycle.do(
            Verb(verb), number, actor=actor, reason=reason, note=note, expected_version=version
        )
    except OrderError as exc:
        return Outcome(number, messages.ERROR, f"#{number}: {_why(exc)}", exc)
    except OperationalError:
        # A lock that somebody holds for too long. What was begun, a worker finishes; the next
        # order may need another connection.
        connection.close_if_unusable_or_obsolete()
        return Outcome(number, messages.ERROR, f"#{number}: the database is busy — look again")
    return _success(order, verb)


def _success(order: Order, verb: str) -> Outcome:
    """Tell what the order has become: all that was wanted, or as yet only a part of it."""
    reached = verb not in VERBS or order.status == VERBS[verb]
    done = f"#{order.number} {words.DONE[Verb(verb)]}"
    match order.stock_state:
        case StockState.SETTLING:
            start = f"{done}; its stock is" if reached else f"#{order.number}:"
            return Outcome(order.number, messages.WARNING, f"{start} settling — finishes by itself")
        case StockState.REVIEW:
            start = f"{done}; its" if reached else f"#{order.number}:"
            text = f"{start} stock needs review — a person must look"
            return Outcome(order.number, messages.WARNING, text)
    return Outcome(order.number, messages.SUCCESS, done)


def _why(exc: OrderError) -> str:
    """Return the error in words that follow an order's number and a colon."""
    match exc:
        case OrderNotFound():
            return "there is no such order"
        case OnHold(reason=reason):
            return f"it is on hold until somebody releases it — {words.REASONS[reason]}"
    text = str(exc)
    return text[:1].lower() + text[1:]
