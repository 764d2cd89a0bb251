"""The one call that changes stock, and what it came to in the ledger's words."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from functools import partial

import structlog
from structlog.contextvars import bound_contextvars as about

from inventory_client.answers import Adjusted
from inventory_client.errors import InventoryError, NotYet, OutcomeUnknown, Rejected
from orders import outgoing
from orders.stock import inventory, movements, outcomes, timing
from orders.stock.ledger import Loaded
from orders.stock.movements import LostMovement
from orders.stock.outcomes import Applied, Evidence
from orders.stock.patience import Patience
from orders.stock.protocol import Movement

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """A movement that is written down as sent, and may be called for before ``send_before``.

    That is an instant of ``boottime()``. ``again`` repeats a call to an upstream that honours keys.
    """

    movement: Movement
    fence: int
    of: Loaded
    send_before: float
    again: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What the inventory made of a call, or the client's error."""

    sent: Sent
    said: Adjusted | InventoryError


def send(
    all_sent: Sequence[Sent],
    *,
    patience: Patience,
    on_late: Callable[[int], None],
    lent: ExitStack,
) -> None:
    """Make the calls of movements at once, and write down their outcomes.

    A caller without ``patience`` for the answers leaves them, with what was ``lent`` for the calls;
    ``on_late`` is called with the confirmation once such an answer is written down. What is not
    one of the client's errors is a bug or this process's death: the row stays `sent`, and recovery
    finds it.
    """

    def write_down_late(answer: Answer) -> None:
        with _about(answer.sent):
            try:
                write_down([answer])
            except Exception:  # the row stays `sent`, and recovery finds it
                log.exception("late_answer_not_written_down")
                return
        on_late(answer.sent.of.id)

    patience.hear([partial(call, sent) for sent in all_sent], write_down, write_down_late, lent)


def call(sent: Sent) -> Answer:
    """Make the call of one movement.

    That it was done is logged before it is written down: should the database be lost now, or be
    restored from before, the log still has it.
    """
    movement = sent.movement
    try:
        said = inventory.client().adjust(
            movement.product_id,
            movement.delta,
            reason=movements.reason(sent.of.order_number, movement.id),
            idempotency_key=str(movement.id),
            send_before=sent.send_before,
            request_id=outgoing.request_id(),
        )
    except (Rejected, NotYet, OutcomeUnknown) as exc:
        return Answer(sent, exc)
    with _about(sent):
        # A key that is sent again is acknowledged again, and has moved nothing twice.
        log.info("stock_moved", quantity=movement.delta, in_stock=said.quantity, again=sent.again)
    return Answer(sent, said)


def write_down(answers: Sequence[Answer]) -> None:
    """Write down what came of calls; what was taken over meanwhile keeps it as evidence.

    What was applied comes first, in one statement: it would be unknown if we died before.
    """
    applied = [
        Applied(
            answer.sent.movement.id,
            answer.sent.fence,
            answer.said.quantity,
            answer.said.updated_at,
            answer.said.trace_id or "",
            "replay" if answer.sent.again else "response",
        )
        for answer in answers
        if isinstance(answer.said, Adjusted)
    ]
    if applied:
        with suppress(LostMovement):
            outcomes.record_applied(applied)
    for answer in answers:
        if isinstance(answer.said, InventoryError):
            with suppress(LostMovement), _about(answer.sent):
                _write_down_failure(answer.sent, answer.said)


def _about(sent: Sent) -> AbstractContextManager[None]:
    """Name what was sent on each line that is logged meanwhile."""
    movement = sent.movement
    return about(order=sent.of.order_number, movement=str(movement.id), product=movement.product_id)


def _write_down_failure(sent: Sent, exc: InventoryError) -> None:
    inventory.log_failure(exc)
    movement = sent.movement
    evidence = Evidence(exc.code, exc.http_status, exc.trace_id or "")
    delay = timing.backoff(movement.tries, at_least=exc.retry_after or 0.0)
    # That a second call was refused or not taken says nothing of the first.
    if sent.again or isinstance(exc, OutcomeUnknown):
        outcomes.record_unknown(movement.id, sent.fence, evidence, delay=delay)
    elif isinstance(exc, NotYet):
        outcomes.record_not_yet(movement.id, sent.fence, evidence, delay=delay)
    else:
        outcomes.record_rejected(movement.id, sent.fence, evidence, available=exc.available)
