"""Carries the protocol's decisions out: load the rows, ask `next_step`, do that one thing, repeat.

Knows the ledger and the inventory client, and nothing of what an order's status is. Any process
may run any confirmation at any time, also while another does: the fence of each movement lets only
one of them act. No database transaction is open while the inventory service is being called.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

from django.conf import settings

from inventory_client import InventoryClient
from inventory_client.answers import StockLevel
from inventory_client.clock import boottime
from inventory_client.errors import Rejected, Unavailable
from orders import outgoing
from orders.status import FailureReason, MovementState
from orders.stock import availability, inventory, ledger, movements, outcomes, timing
from orders.stock.ledger import Loaded
from orders.stock.patience import Patience
from orders.stock.protocol import (
    Check,
    Claim,
    Movement,
    ReadBack,
    Recover,
    Returned,
    Reverse,
    Review,
    Settled,
    Step,
    Taken,
    Wait,
    next_step,
)
from orders.stock.sending import send

Answer = Taken | Returned | Review | Settled | Wait

MOST_REPLAYS = 20  # of one key that never gets a proof, before a person looks
LONGEST_NAP = 0.05  # seconds: somebody else may move the same rows while we wait


def run(
    confirmation_id: int,
    *,
    hold: float | None,
    give_up_unreachable: bool,
    on_late: Callable[[], None],
) -> Answer:
    """Move a confirmation's stock as far as it goes now, and say where it stands.

    ``hold`` is for how many seconds the caller stays with it, calls and waits included; then it
    answers `Wait`, and somebody else goes on. None runs each step that is due and never waits.
    ``give_up_unreachable`` fails the confirmation, instead of waiting, when the inventory service
    can't even be asked for availability, before anything was sent. A call that changes stock is
    never cut short by ``hold``: it goes on without the caller, and ``on_late`` is called once its
    answer is written down.
    """
    patience = Patience(hold, on_late)
    while True:
        loaded = ledger.load(confirmation_id)
        step = next_step(loaded.rows, loaded.now)
        if isinstance(step, Taken | Returned | Review | Settled):
            return step
        left = patience.left()
        if left is not None and left <= 0:
            return step if isinstance(step, Wait) else Wait(loaded.now)
        if not isinstance(step, Wait):
            try:
                pause = _perform(step, confirmation_id, loaded, patience, give_up_unreachable)
            except movements.LostMovement:
                continue
            except outgoing.NoCallToSpare:
                return Wait(loaded.now + timedelta(seconds=timing.BUSY_PRODUCT))
            if pause is None:
                continue
            step = Wait(loaded.now + pause)
        if left is None:
            return step
        time.sleep(min(LONGEST_NAP, left, max(0.0, (step.until - loaded.now).total_seconds())))


def _perform(
    step: Step,
    confirmation_id: int,
    loaded: Loaded,
    patience: Patience,
    give_up_unreachable: bool,
) -> timedelta | None:
    """Do one step; return how long to wait before the next one, None when there is no need."""
    match step:
        case Check():
            return _check(confirmation_id, loaded, patience, give_up_unreachable)
        case Claim(movement):
            return _claim_and_send(movement, loaded.order_number, patience)
        case ReadBack(movement):
            _read_back(movement, loaded.order_number, patience)
        case Recover(movement, to):
            movements.recover(movement, to)
        case Reverse():
            ledger.reverse(confirmation_id)
    return None


def _check(
    confirmation_id: int, loaded: Loaded, patience: Patience, give_up_unreachable: bool
) -> timedelta | None:
    """Ask for all products at once, so that a hopeless order moves nothing at all."""
    try:
        with inventory.call() as client:
            short = availability.ask(client, ledger.needs(loaded.rows), within=patience.left())
    except Unavailable as exc:
        inventory.log_failure(exc)
        if give_up_unreachable:
            ledger.fail(confirmation_id, FailureReason.INVENTORY_UNAVAILABLE)
            return None
        return timedelta(seconds=timing.CHECK_AGAIN)
    except Rejected as exc:  # no call can be made for such an order, one without items for instance
        inventory.log_failure(exc)
        ledger.fail(confirmation_id, FailureReason.INVENTORY_REFUSED)
        return None
    if short:
        ledger.fail(confirmation_id, FailureReason.INSUFFICIENT_STOCK, short)
    else:
        ledger.mark_checked(confirmation_id)
    return None


def _claim_and_send(movement: Movement, order_number: int, patience: Patience) -> timedelta | None:
    """Take the product, read its stock, write ahead, send, and write down what came of it."""
    with ExitStack() as lent:
        client = lent.enter_context(inventory.call())
        claimed = movements.claim(movement)
        if claimed is None:
            return movements.busy_for(movement)
        try:
            level = _read(client, movement, patience)
        except (Unavailable, Rejected) as exc:
            inventory.log_failure(exc)
            if exc.code in ("unknown_product", "invalid_product_id"):
                outcomes.reject_unsent(movement.id, claimed.fence, code=exc.code, available=0)
            else:
                movements.release(
                    movement.id, claimed.fence, delay=_retry_delay(movement, exc.retry_after)
                )
            return None
        left = level.quantity + movement.delta
        if left < 0:
            # Sending what must be refused proves nothing more, and could end as unknown.
            outcomes.reject_unsent(
                movement.id, claimed.fence, code="insufficient_stock", available=level.quantity
            )
        elif movement.delta < 0 and left < claimed.wanted_before:
            # Scarce, and somebody confirmed earlier: theirs first.
            movements.release(
                movement.id, claimed.fence, delay=timedelta(seconds=timing.YIELD_TO_OLDER)
            )
        else:
            send_before = boottime() + timing.GUARD
            movements.write_ahead(
                movement.id, claimed.fence, quantity=level.quantity, updated_at=level.updated_at
            )
            send(
                movement,
                claimed.fence,
                order_number,
                send_before=send_before,
                patience=patience,
                lent=lent,
            )
    return None


def _read_back(movement: Movement, order_number: int, patience: Patience) -> None:
    """Find out what became of a call without an answer, now that it can't be applied any more.

    Unchanged stock proves that it was not. Changed stock proves that it was only where nobody else
    changes stock; everywhere else a person decides.
    """
    with ExitStack() as lent:
        client = lent.enter_context(inventory.call())
        fence = movements.begin_read_back(movement)
        if settings.INVENTORY_HONOURS_IDEMPOTENCY and movement.tries >= MOST_REPLAYS:
            movements.resolve_unknown(movement.id, fence, MovementState.REVIEW)
            return
        if settings.INVENTORY_HONOURS_IDEMPOTENCY:
            send_before = boottime() + timing.GUARD
            movements.write_ahead(movement.id, fence)
            send(
                movement,
                fence,
                order_number,
                send_before=send_before,
                patience=patience,
                lent=lent,
                again=True,
            )
            return
        try:
            level = _read(client, movement, patience)
        except Unavailable as exc:
            inventory.log_failure(exc)
            if exc.code == "unknown_product":
                movements.resolve_unknown(movement.id, fence, MovementState.REVIEW)
            else:
                movements.postpone_read_back(
                    movement.id, fence, delay=_retry_delay(movement, exc.retry_after)
                )
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
    movements.resolve_unknown(
        movement.id, fence, to, quantity=level.quantity, updated_at=level.updated_at
    )


def _read(client: InventoryClient, movement: Movement, patience: Patience) -> StockLevel:
    return client.read(
        movement.product_id, request_id=outgoing.request_id(), within=patience.left()
    )


def _retry_delay(movement: Movement, at_least: float | None) -> timedelta:
    return timing.backoff(movement.tries, at_least=at_least or 0.0)
