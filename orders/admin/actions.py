"""What staff can do to orders, and how each order's outcome is told to them.

Plain functions over the lifecycle: the buttons of the order page and the actions of the list call
the same ones, and Django's stock admin could.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.db import OperationalError, connection

from orders import lifecycle
from orders.actor import Actor
from orders.errors import OrderError, OrderNotFound
from orders.models import Order
from orders.status import LEGAL_MOVES, OrderStatus, StockState

# Each verb with the status that it leads to; the verb's past tense is that status in lower case.
VERBS = {
    "confirm": OrderStatus.CONFIRMED,
    "complete": OrderStatus.COMPLETED,
    "cancel": OrderStatus.CANCELLED,
}

# One request works through so many orders; each may take seconds when the inventory is slow. More
# than these confirm as a batch, which the worker carries out: one statement opens all of it.
MOST_AT_ONCE = {"confirm": 5, "complete": 100, "cancel": 100}
MOST_IN_A_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a verb for one order: a level of Django's messages, and the message."""

    number: int
    level: int
    text: str


def permitted(actor: Actor, verb: str, order: Order) -> bool:
    """Tell whether the actor may do this to this order."""
    return actor.may_cancel(order) if verb == "cancel" else actor.may(verb)


def legal(verb: str, order: Order) -> bool:
    """Tell whether the verb makes sense for the order as it stands.

    While stock is on its way, confirming again would only join; cancelling can still stop it.
    """
    if VERBS[verb] not in LEGAL_MOVES[OrderStatus(order.status)]:
        return False
    busy = order.stock_state in (StockState.SETTLING, StockState.REVIEW)
    return verb == "cancel" or not busy


def run(
    verb: str,
    numbers: Iterable[int],
    actor: Actor,
    *,
    expected_version: int | None = None,
    reason: str = "",
) -> list[Outcome]:
    """Do the verb to each order, oldest first, and return one outcome an order.

    ``expected_version`` is the version that the actor has seen. One order's failure stops none of
    the others.
    """
    return [
        _outcome(verb, number, actor, expected_version=expected_version, reason=reason)
        for number in sorted(numbers)
    ]


def _outcome(
    verb: str, number: int, actor: Actor, *, expected_version: int | None, reason: str
) -> Outcome:
    try:
        match verb:
            case "confirm":
                order = lifecycle.confirm(number, actor=actor, expected_version=expected_version)
            case "complete":
                order = lifecycle.complete(number, actor=actor, expected_version=expected_version)
            case "cancel":
                order = lifecycle.cancel(
                    number, actor=actor, note=reason, expected_version=expected_version
                )
            case _:
                raise ValueError(verb)
    except OrderError as exc:
        return Outcome(number, messages.ERROR, f"#{number}: {_why(exc)}")
    except OperationalError:
        # A lock that somebody holds for too long. What was begun, a worker finishes; the next
        # order may need another connection.
        connection.close_if_unusable_or_obsolete()
        return Outcome(number, messages.ERROR, f"#{number}: the database is busy — look again")
    return _success(order, VERBS[verb])


def _success(order: Order, wanted: OrderStatus) -> Outcome:
    """Tell what the order has become: all that was wanted, or as yet only a part of it."""
    reached = order.status == wanted
    done = f"#{order.number} {wanted.lower()}"
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
    if isinstance(exc, OrderNotFound):
        return "there is no such order"
    text = str(exc)
    return text[:1].lower() + text[1:]
