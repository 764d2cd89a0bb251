"""Which changes of stock a restored ledger has forgotten, and what undoes each.

What to do is docs/backups.md, "What drift means, and how it is resolved", by how the order stands
in the restored database. Whatever is undone, the inventory has afterwards what the ledger expects.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from django.conf import settings

from orders.models import Confirmation, Order, StockMovement
from orders.status import (
    LIVE_CONFIRMATIONS,
    ConfirmationState,
    MovementState,
    OrderStatus,
)
from orders.stock.reconcile.log import Heard, Told

T = TypeVar("T")

_AT_ONCE = 1000  # rows that a query asks for
# As the ledger has what was done only later; None when it has no such movement at all.
_FORGOTTEN = (None, MovementState.PLANNED, MovementState.CLAIMED)


class Stands(StrEnum):
    """How an order stands in the restored database."""

    GONE = "is not there"
    WAITS = "is PENDING"
    TAKES = "is being confirmed"
    GIVES_BACK = "is giving back"
    HOLDS = "is CONFIRMED"
    ENDED = "is ended"


_BY_CONFIRMATION: dict[str, Stands] = {
    ConfirmationState.RUNNING: Stands.TAKES,
    ConfirmationState.REVERSING: Stands.GIVES_BACK,
    ConfirmationState.CONFIRMED: Stands.HOLDS,
}
_BY_STATUS = {
    OrderStatus.PENDING: Stands.WAITS,
    OrderStatus.CONFIRMED: Stands.HOLDS,
    OrderStatus.COMPLETED: Stands.ENDED,
    OrderStatus.CANCELLED: Stands.ENDED,
}


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was done to a product for an order, in all; pieces, below 0 when they were taken."""

    product_id: str
    order: int
    stands: Stands
    delta: int | None  # None when nobody found out
    movements: Sequence[UUID]
    next_step: str


def forgotten(heard: Heard) -> list[Forgotten]:
    """Return what the ledger does not know of what the log tells, by product and order.

    What was on its way at the time of the backup is left out: the ledger is to find that out.
    """
    states = _states([*heard.done, *heard.open])
    done: dict[tuple[str, int, bool], list[Told]] = {}
    for told in heard.done.values():
        state = states.get(told.movement)
        if state in _FORGOTTEN:
            same_key = state is not None and settings.INVENTORY_HONOURS_IDEMPOTENCY
            done.setdefault((told.product_id, told.order, same_key), []).append(told)
    left = [told for told in heard.open.values() if states.get(told.movement) in _FORGOTTEN]
    stands = _stands({order for _, order, _ in done} | {told.order for told in left})
    found = []
    for (product, order, same_key), changes in done.items():
        how = stands.get(order, Stands.GONE)
        delta = sum(told.delta for told in changes)
        step = _KEY_IS_SENT_AGAIN if same_key else _next_step(order, how, delta)
        keys = [told.movement for told in changes]
        found.append(Forgotten(product, order, how, delta, keys, step))
    for told in left:
        how = stands.get(told.order, Stands.GONE)
        found.append(
            Forgotten(told.product_id, told.order, how, None, [told.movement], _NOT_FOUND_OUT)
        )
    return sorted(found, key=lambda each: (each.product_id, each.order, each.delta is None))


_KEY_IS_SENT_AGAIN = (
    "the worker sends the same key, which moves nothing while the inventory knows it: accept, with"
    " --looked-up. It knows it no longer, or fewer are left than the order takes: docs/backups.md"
)
_NOT_FOUND_OUT = (
    "look for its movement in the inventory's log: if it was done, it counts with its order's other"
    " changes of this product"
)


def _next_step(order: int, stands: Stands, delta: int) -> str:
    take, give = f"take {delta} out in the inventory", f"give {-delta} back in the inventory"
    match stands, (delta > 0) - (delta < 0):
        case _, 0:
            return "nothing: it gave back what it took"
        case ((Stands.WAITS | Stands.TAKES), -1):
            return f"{give}: confirming takes them again"
        case Stands.GONE, -1:
            return f"{give} if it will be entered again; if its goods have left for good, accept"
        case ((Stands.TAKES | Stands.HOLDS), 1):
            return (
                f"{take}: the order holds them again. If it was cancelled, send nothing, and cancel"
                " it again when web is there"
            )
        case Stands.GIVES_BACK, 1:
            return f"{take}: the worker gives them back"
        case _:
            return (
                f"look for 'order:{order} ' in the inventory's log: an order that stands so has"
                " changes without a line here"
            )


def _states(movements: Sequence[UUID]) -> dict[UUID, str]:
    return {
        key: state
        for some in _parts(movements)
        for key, state in StockMovement.objects.filter(pk__in=some).values_list("pk", "state")
    }


def _stands(numbers: Iterable[int]) -> dict[int, Stands]:
    """Return how those of some orders stand that are there."""
    stands = {}
    for some in _parts(sorted(numbers)):
        live = dict(
            Confirmation.objects.filter(order__in=some, state__in=LIVE_CONFIRMATIONS).values_list(
                "order_id", "state"
            )
        )
        for order in Order.objects.filter(pk__in=some).only("status"):
            by_confirmation = _BY_CONFIRMATION.get(live.get(order.pk, ""))
            by_status = _BY_STATUS[OrderStatus(order.status)]
            is_final = order.status == OrderStatus.COMPLETED  # and its confirmation is kept
            stands[order.pk] = by_status if is_final else by_confirmation or by_status
    return stands


def _parts(things: Sequence[T]) -> Iterator[Sequence[T]]:
    return (things[at : at + _AT_ONCE] for at in range(0, len(things), _AT_ONCE))
