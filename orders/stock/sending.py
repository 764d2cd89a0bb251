"""The one call that changes stock, and what it came to in the ledger's words."""

from contextlib import ExitStack
from functools import partial

from inventory_client.answers import Adjusted
from inventory_client.errors import InventoryError, NotYet, OutcomeUnknown, Rejected
from orders import outgoing
from orders.stock import inventory, movements, outcomes, timing
from orders.stock.outcomes import Evidence
from orders.stock.patience import Patience
from orders.stock.protocol import Movement


def send(
    movement: Movement,
    fence: int,
    order_number: int,
    *,
    send_before: float,
    patience: Patience,
    lent: ExitStack,
    again: bool = False,
) -> None:
    """Make the call of a movement that is written down as sent, and write down its outcome.

    ``send_before`` is an instant of ``boottime()``. A caller without ``patience`` for the answer
    leaves it, with what was ``lent`` for the call. ``again`` repeats a call to an upstream that
    honours keys. What is not one of the client's errors is a bug or this process's death: the row
    stays `sent`, and recovery finds it.
    """
    call = partial(
        inventory.client().adjust,
        movement.product_id,
        movement.delta,
        reason=movements.reason(order_number, movement.id),
        idempotency_key=str(movement.id),
        send_before=send_before,
        request_id=outgoing.request_id(),
    )

    def answer() -> Adjusted | InventoryError:
        try:
            return call()
        except (Rejected, NotYet, OutcomeUnknown) as exc:
            return exc

    def write_down(answer: Adjusted | InventoryError) -> None:
        if isinstance(answer, InventoryError):
            _write_down_failure(movement, fence, answer, again=again)
            return
        outcomes.record_applied(
            movement.id,
            fence,
            Evidence("applied", 200, answer.trace_id or ""),
            quantity=answer.quantity,
            by="replay" if again else "response",
        )

    patience.hear(answer, write_down, lent)


def _write_down_failure(
    movement: Movement, fence: int, exc: InventoryError, *, again: bool
) -> None:
    inventory.log_failure(exc)
    evidence = Evidence(exc.code, exc.http_status, exc.trace_id or "")
    delay = timing.backoff(movement.tries, at_least=exc.retry_after or 0.0)
    # That a second call was refused or not taken says nothing of the first.
    if again or isinstance(exc, OutcomeUnknown):
        outcomes.record_unknown(movement.id, fence, evidence, delay=delay)
    elif isinstance(exc, NotYet):
        outcomes.record_not_yet(movement.id, fence, evidence, delay=delay)
    else:
        outcomes.record_rejected(movement.id, fence, evidence, available=exc.available)
