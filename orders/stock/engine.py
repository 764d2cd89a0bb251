"""Carries the protocol's decisions out: load the rows, ask `next_step`, do those things, repeat.

Knows the ledger and the inventory client, and nothing of what an order's status is. Any process
may run any confirmation at any time, also while another does: the fence of each movement lets only
one of them act. Several run side by side, and what they do at the same time takes one statement
and calls that are made at once. No database transaction is open while the inventory is called.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta

from structlog.contextvars import bound_contextvars as about

from orders import outgoing
from orders.stock import ledger, movements, steps, timing
from orders.stock.ledger import Loaded
from orders.stock.movements import LostMovement
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
from orders.stock.steps import Pauses, Turn

Answer = Taken | Returned | Review | Settled | Wait

LONGEST_NAP = 0.05  # seconds: somebody else may move the same rows while we wait


def run(
    confirmations: Sequence[int],
    *,
    hold: float | None,
    give_up_unreachable: bool,
    on_late: Callable[[int], None],
) -> dict[int, Answer]:
    """Move the stock of confirmations as far as it goes now, and say where each stands.

    ``hold`` is for how many seconds the caller stays with them, calls and waits included; then the
    answer is `Wait`, and somebody else goes on. None runs each step that is due and never waits.
    ``give_up_unreachable`` fails a confirmation, instead of waiting, when the inventory service
    can't even be asked for availability, before anything was sent. A call that changes stock is
    never cut short: it goes on without us, and ``on_late`` is called with its confirmation once its
    answer is written down.
    """
    turn = Turn(Patience(hold), give_up_unreachable, on_late)
    turn_ends = time.monotonic() + (timing.TURN if len(confirmations) > 1 else float("inf"))
    answers: dict[int, Answer] = {}
    while unanswered := [each for each in confirmations if each not in answers]:
        due: list[tuple[Loaded, Step]] = []
        waits: dict[int, Wait] = {}
        left = turn.patience.left()
        is_over = time.monotonic() >= turn_ends if left is None else left <= 0
        for loaded in ledger.load(unanswered):
            step = next_step(loaded.rows, loaded.now)
            if isinstance(step, Taken | Returned | Review | Settled):
                answers[loaded.id] = step
            elif isinstance(step, Wait):
                waits[loaded.id] = step
            elif is_over:
                waits[loaded.id] = Wait(loaded.now)
            else:
                due.append((loaded, step))
        try:
            pauses = _perform(due, turn)
        except outgoing.NoCallToSpare:
            # Of those alone that had something to do: the others' waits are longer, and a call that
            # hangs, which is what takes the slots, would have its own asked for again and again.
            pauses = {loaded.id: timedelta(seconds=timing.BUSY_PRODUCT) for loaded, _ in due}
            is_over = True
        waits |= {each: Wait(loaded.now + pause) for each, pause in pauses.items()}
        if left is None or is_over:
            answers = waits | answers
        elif waits:
            until = min(wait.until for wait in waits.values())
            time.sleep(min(LONGEST_NAP, left, max(0.0, (until - loaded.now).total_seconds())))
    return answers


def _perform(due: Sequence[tuple[Loaded, Step]], turn: Turn) -> Pauses:
    """Do a step of each; return for how long to leave alone those that must wait."""
    pauses: Pauses = {}
    to_check: list[Loaded] = []
    to_claim: list[tuple[Loaded, Movement]] = []
    for loaded, step in due:
        with suppress(LostMovement), about(order=loaded.order_number):
            match step:
                case Check():
                    to_check.append(loaded)
                case Claim(movement):
                    to_claim.append((loaded, movement))
                case ReadBack(movement):
                    steps.read_back(loaded, movement, turn)
                case Recover(movement, to):
                    movements.recover(movement, to)
                case Reverse():
                    ledger.reverse(loaded.id)
    if to_check:
        pauses |= steps.check(to_check, turn)
    if to_claim:
        pauses |= steps.claim_and_send(to_claim, turn)
    return pauses
