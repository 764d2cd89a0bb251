"""Carries the protocol's decisions out: load the rows, ask `next_step`, do that one thing, repeat.

Knows the ledger and the inventory client, and nothing of what an order's status is. Any process
may run any confirmation at any time, also while another does: the fence of each movement lets only
one of them act. No database transaction is open while the inventory service is being called.
"""

import time
from datetime import timedelta

from django.conf import settings

from inventory_client.clock import boottime
from inventory_client.errors import NotYet, OutcomeUnknown, Rejected, Unavailable
from orders import outgoing
from orders.status import FailureReason, MovementState
from orders.stock import availability, inventory, ledger, movements, outcomes, timing
from orders.stock.ledger import Loaded
from orders.stock.outcomes import Evidence
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

Answer = Taken | Returned | Review | Settled | Wait

MOST_REPLAYS = 20  # of one key that never gets a proof, before a person looks
LONGEST_NAP = 0.05  # seconds: somebody else may move the same rows while we wait


def run(confirmation_id: int, *, hold: float | None, give_up_unreachable: bool) -> Answer:
    """Move a confirmation's stock as far as it goes now, and say where it stands.

    ``hold`` is for how many seconds the caller stays with it, waits included; then it answers
    `Wait`, and somebody else goes on. None runs each step that is due and never waits.
    ``give_up_unreachable`` fails the confirmation, instead of waiting, when the inventory service
    can't even be asked for availability, before anything was sent. A call under way is never cut
    short by ``hold``: its own deadline ends it.
    """
    deadline = None if hold is None else time.monotonic() + hold
    while True:
        loaded = ledger.load(confirmation_id)
        step = next_step(loaded.rows, loaded.now)
        if isinstance(step, Taken | Returned | Review | Settled):
            return step
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return step if isinstance(step, Wait) else Wait(loaded.now)
        if not isinstance(step, Wait):
            try:
                pause = _perform(step, confirmation_id, loaded, give_up_unreachable)
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
    step: Step, confirmation_id: int, loaded: Loaded, give_up_unreachable: bool
) -> timedelta | None:
    """Do one step; return how long to wait before the next one, None when there is no need."""
    match step:
        case Check():
            return _check(confirmation_id, loaded, give_up_unreachable)
        case Claim(movement):
            return _claim_and_send(movement, loaded.order_number)
        case ReadBack(movement):
            _read_back(movement, loaded.order_number)
        case Recover(movement, to):
            movements.recover(movement, to)
        case Reverse():
            ledger.reverse(confirmation_id)
    return None


def _check(confirmation_id: int, loaded: Loaded, give_up_unreachable: bool) -> timedelta | None:
    """Ask for all products at once, so that a hopeless order moves nothing at all."""
    try:
        with inventory.call() as client:
            short = availability.ask(client, ledger.needs(loaded.rows))
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


def _claim_and_send(movement: Movement, order_number: int) -> timedelta | None:
    """Take the product, read its stock, write ahead, send, and write down what came of it."""
    with inventory.call() as client:
        claimed = movements.claim(movement)
        if claimed is None:
            return movements.busy_for(movement)
        try:
            level = client.read(movement.product_id, request_id=outgoing.request_id())
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
            _send(movement, claimed.fence, order_number, send_before)
    return None


def _send(
    movement: Movement, fence: int, order_number: int, send_before: float, *, again: bool = False
) -> None:
    """Make the one call that changes stock; ``again`` repeats it to an upstream that honours keys.

    What is not one of the client's errors is a bug or this process's death: the row stays `sent`,
    and recovery finds it.
    """
    try:
        adjusted = inventory.client().adjust(
            movement.product_id,
            movement.delta,
            reason=movements.reason(order_number, movement.id),
            idempotency_key=str(movement.id),
            send_before=send_before,
            request_id=outgoing.request_id(),
        )
    except (Rejected, NotYet, OutcomeUnknown) as exc:
        inventory.log_failure(exc)
        delay = _retry_delay(movement, exc.retry_after)
        # That a second call was refused or not taken says nothing of the first.
        if again or isinstance(exc, OutcomeUnknown):
            outcomes.record_unknown(movement.id, fence, _evidence(exc), delay=delay)
        elif isinstance(exc, NotYet):
            outcomes.record_not_yet(movement.id, fence, _evidence(exc), delay=delay)
        else:
            outcomes.record_rejected(movement.id, fence, _evidence(exc), available=exc.available)
    else:
        outcomes.record_applied(
            movement.id,
            fence,
            Evidence("applied", 200, adjusted.trace_id or ""),
            quantity=adjusted.quantity,
            by="replay" if again else "response",
        )


def _read_back(movement: Movement, order_number: int) -> None:
    """Find out what became of a call without an answer, now that it can't be applied any more.

    Unchanged stock proves that it was not. Changed stock proves that it was only where nobody else
    changes stock; everywhere else a person decides.
    """
    with inventory.call() as client:
        fence = movements.begin_read_back(movement)
        if settings.INVENTORY_HONOURS_IDEMPOTENCY and movement.tries >= MOST_REPLAYS:
            movements.resolve_unknown(movement.id, fence, MovementState.REVIEW)
            return
        if settings.INVENTORY_HONOURS_IDEMPOTENCY:
            send_before = boottime() + timing.GUARD
            movements.write_ahead(movement.id, fence)
            _send(movement, fence, order_number, send_before, again=True)
            return
        try:
            level = client.read(movement.product_id, request_id=outgoing.request_id())
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


def _retry_delay(movement: Movement, at_least: float | None) -> timedelta:
    return timing.backoff(movement.tries, at_least=at_least or 0.0)


def _evidence(exc: Rejected | NotYet | OutcomeUnknown) -> Evidence:
    return Evidence(exc.code, exc.http_status, exc.trace_id or "")
