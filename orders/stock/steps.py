"""The protocol's steps that ask the inventory, for several confirmations side by side.

What goes as it should is done for all of them at once; what does not, for each by itself.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog
from django.conf import settings
from structlog.contextvars import bound_contextvars as about

from inventory_client import InventoryClient
from inventory_client.answers import StockLevel
from inventory_client.clock import boottime
from inventory_client.errors import UNKNOWN_PRODUCT, Rejected, Unavailable
from orders import outgoing
from orders.status import FailureReason, MovementState
from orders.stock import availability, inventory, ledger, movements, outcomes, timing
from orders.stock.ledger import Loaded
from orders.stock.movements import Claimed, LostMovement, Snapshot
from orders.stock.patience import Patience, at_once
from orders.stock.protocol import Movement
from orders.stock.sending import Sent, send

MOST_REPLAYS = 20  # of one key that never gets a proof, before a person looks
MOST_CHECKED = 100  # products of one call: the answer for more would be too large for the client

Pauses = dict[int, timedelta]  # by the confirmation

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Turn:
    """How those that run side by side were asked to; see `orders.stock.engine.run`."""

    patience: Patience
    give_up_unreachable: bool
    on_late: Callable[[int], None]


def check(group: Sequence[Loaded], turn: Turn) -> Pauses:
    """Ask for all products at once, so that a hopeless order moves nothing at all."""
    needs = [ledger.needs(loaded.rows) for loaded in group]
    wanted: Counter[str] = sum(map(Counter, needs), Counter())
    if group[1:] and (len(wanted) > MOST_CHECKED or not all(needs)):
        half = len(group) // 2
        return check(group[:half], turn) | check(group[half:], turn)
    try:
        with inventory.call() as client:
            short = availability.ask(client, wanted, within=turn.patience.left())
    except Unavailable as exc:
        inventory.log_failure(exc)
        if not turn.give_up_unreachable:
            return dict.fromkeys(_keys(group), timedelta(seconds=timing.CHECK_AGAIN))
        for each in group:
            ledger.fail(each.id, FailureReason.INVENTORY_UNAVAILABLE)
        return {}
    except Rejected as exc:  # no call can be made for such an order, one without items for instance
        if group[1:]:
            return _check_each(group, turn)
        inventory.log_failure(exc)
        ledger.fail(group[0].id, FailureReason.INVENTORY_REFUSED)
        return {}
    if not short:
        ledger.mark_checked(_keys(group))
    elif group[1:]:  # for all of them together, perhaps not for each
        return _check_each(group, turn)
    else:
        ledger.fail(group[0].id, FailureReason.INSUFFICIENT_STOCK, short)
    return {}


def _check_each(group: Sequence[Loaded], turn: Turn) -> Pauses:
    pauses: Pauses = {}
    for loaded in group:
        with about(order=loaded.order_number):
            pauses |= check([loaded], turn)
    return pauses


def claim_and_send(group: Sequence[tuple[Loaded, Movement]], turn: Turn) -> Pauses:
    """Take the products, read their stock, write ahead, send, and write down what came of it.

    Of those that want the same product one has this turn: who gives back, else the oldest.
    """
    of = {movement.id: loaded for loaded, movement in group}
    in_line = sorted((movement for _, movement in group), key=lambda each: each.delta < 0)
    first = {movement.product_id: movement for movement in reversed(in_line)}
    with ExitStack() as lent:
        client = lent.enter_context(inventory.call())
        claimed = movements.claim(list(first.values()))
        ours = {each.movement.product_id for each in claimed}
        pauses: Pauses = {}
        if busy := [movement for _, movement in group if movement.product_id not in ours]:
            pauses = {of[key].id: pause for key, pause in movements.busy_for(busy).items()}
        levels = at_once([partial(_read, client, each.movement, turn.patience) for each in claimed])
        snapshots: list[Snapshot] = []
        for each, level in zip(claimed, levels, strict=True):
            with suppress(LostMovement), about(order=of[each.movement.id].order_number):
                if isinstance(level, StockLevel) and _is_enough(each, level):
                    snapshots.append(
                        Snapshot(each.movement, each.fence, level.quantity, level.updated_at)
                    )
                else:
                    _give_back(each, level)
        if snapshots:
            _write_ahead_and_send(snapshots, of, turn, lent)
    return pauses


def _write_ahead_and_send(
    snapshots: Sequence[Snapshot],
    of: Mapping[UUID, Loaded],
    turn: Turn,
    lent: ExitStack,
    *,
    again: bool = False,
) -> None:
    """Send what could be written down as sent; the rest somebody else took over."""
    send_before = boottime() + timing.GUARD  # from before the commit, so never too late
    all_sent = [
        Sent(written.movement, written.fence, of[written.movement.id], send_before, again)
        for written in movements.write_ahead(snapshots)
    ]
    send(all_sent, patience=turn.patience, on_late=turn.on_late, lent=lent)


def _is_enough(claimed: Claimed, level: StockLevel) -> bool:
    """Tell whether there is enough: for ours, and for those who confirmed before us."""
    left = level.quantity + claimed.movement.delta
    wanted_before = claimed.wanted_before if claimed.movement.delta < 0 else 0
    return left >= wanted_before


def _give_back(claimed: Claimed, level: StockLevel | Unavailable | Rejected) -> None:
    """Give a claimed movement up, or back to be claimed again; nothing was sent."""
    movement, fence = claimed.movement, claimed.fence
    if isinstance(level, StockLevel):
        if level.quantity + movement.delta >= 0:
            # Scarce, and somebody confirmed earlier: theirs first.
            movements.release(movement.id, fence, delay=timedelta(seconds=timing.YIELD_TO_OLDER))
        else:
            # Sending what must be refused proves nothing more, and could end as unknown.
            outcomes.reject_unsent(
                movement.id, fence, code="insufficient_stock", available=level.quantity
            )
        return
    inventory.log_failure(level)
    if level.code in (UNKNOWN_PRODUCT, "invalid_product_id"):
        outcomes.reject_unsent(movement.id, fence, code=level.code, available=0)
    else:
        movements.release(movement.id, fence, delay=_retry_delay(movement, level.retry_after))


def read_back(loaded: Loaded, movement: Movement, turn: Turn) -> None:
    """Find out what became of a call without an answer, now that it can't be applied any more.

    Unchanged stock proves that it was not. Changed stock proves that it was only where nobody else
    changes stock; everywhere else a person decides. Raises `LostMovement`.
    """
    with ExitStack() as lent:
        client = lent.enter_context(inventory.call())
        fence = movements.begin_read_back(movement)
        if settings.INVENTORY_HONOURS_IDEMPOTENCY:
            if movement.tries >= MOST_REPLAYS:
                _resolve(movement, fence, MovementState.REVIEW)
            else:
                of = {movement.id: loaded}
                _write_ahead_and_send([Snapshot(movement, fence)], of, turn, lent, again=True)
            return
        level = _read(client, movement, turn.patience)
    if not isinstance(level, StockLevel):
        inventory.log_failure(level)
        if level.code == UNKNOWN_PRODUCT:
            _resolve(movement, fence, MovementState.REVIEW)
        else:
            delay = _retry_delay(movement, level.retry_after)
            movements.postpone_read_back(movement.id, fence, delay=delay)
        return
    before = movement.before_quantity
    unchanged = level.quantity == before and level.updated_at == movement.before_updated_at
    if unchanged and level.updated_at is not None:
        to = MovementState.PLANNED
    elif (
        settings.INVENTORY_SOLE_WRITER
        and before is not None
        and level.quantity == before + movement.delta
    ):
        to = MovementState.APPLIED
    else:
        to = MovementState.REVIEW
    _resolve(movement, fence, to, level)


def _resolve(
    movement: Movement, fence: int, to: MovementState, found: StockLevel | None = None
) -> None:
    """Write down what has become of a call without an answer; raise `LostMovement`."""
    movements.resolve_unknown(
        movement.id,
        fence,
        to,
        quantity=found.quantity if found else None,
        updated_at=found.updated_at if found else None,
    )
    log.info("stock_read_back", movement=str(movement.id), product=movement.product_id, to=to)


def _read(
    client: InventoryClient, movement: Movement, patience: Patience
) -> StockLevel | Unavailable | Rejected:
    try:
        return client.read(
            movement.product_id, request_id=outgoing.request_id(), within=patience.left()
        )
    except (Unavailable, Rejected) as exc:
        return exc


def _retry_delay(movement: Movement, at_least: float | None) -> timedelta:
    return timing.backoff(movement.tries, at_least=at_least or 0.0)


def _keys(group: Sequence[Loaded]) -> list[int]:
    return [loaded.id for loaded in group]
