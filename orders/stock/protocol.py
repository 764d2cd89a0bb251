"""The stock protocol's decision: given a confirmation's rows, what is the one next thing to do?

A pure function of its arguments. It reads no clock, no settings and no database, so that tests
can drive it with a simulator through thousands of crashes. Reasons are in docs/reliability.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orders.status import ConfirmationState, MovementState


@dataclass(frozen=True, slots=True)
class Movement:
    """A row of the ledger: one change of one product's stock; ``delta`` in pieces."""

    id: UUID
    product_id: str
    delta: int
    reverses: UUID | None
    state: MovementState
    fence: int
    tries: int
    before_quantity: int | None
    before_updated_at: str | None
    not_before: datetime | None
    lease_until: datetime | None
    settles_at: datetime | None


@dataclass(frozen=True, slots=True)
class Rows:
    """A confirmation with all its movements, in the order in which they run."""

    state: ConfirmationState
    checked: bool
    cancel_requested: bool
    movements: tuple[Movement, ...]

    @property
    def deductions(self) -> tuple[Movement, ...]:
        """The movements that take stock, by product."""
        return tuple(m for m in self.movements if m.reverses is None)

    @property
    def reversals(self) -> tuple[Movement, ...]:
        """The movements that give it back, by product."""
        return tuple(m for m in self.movements if m.reverses is not None)


@dataclass(frozen=True, slots=True)
class Check:
    """Ask for all products at once whether there is enough."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Take the product's mutex, read its stock, and send this movement."""

    movement: Movement


@dataclass(frozen=True, slots=True)
class Recover:
    """Its holder is gone: what was claimed was never sent, what was sent is now unknown."""

    movement: Movement
    to: MovementState


@dataclass(frozen=True, slots=True)
class ReadBack:
    """The unknown outcome has settled: find out whether the movement was applied."""

    movement: Movement


@dataclass(frozen=True, slots=True)
class Reverse:
    """Void what was never sent, and plan to give back what was applied."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before ``until``."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Review:
    """Nothing to do before a person has decided."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Each deduction is applied: the order has its stock."""


@dataclass(frozen=True, slots=True)
class Returned:
    """Nothing is held: each applied deduction has its applied reversal."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The confirmation is closed."""


Step = Check | Claim | Recover | ReadBack | Reverse | Wait | Review | Taken | Returned | Settled


def next_step(rows: Rows, now: datetime) -> Step:
    """Return what to do next; ``now`` is the database's clock, as are all times in the rows."""
    match rows.state:
        case ConfirmationState.RUNNING:
            return _while_running(rows, now)
        case ConfirmationState.REVERSING:
            return _while_reversing(rows, now)
        case _:
            return Settled()


def _while_running(rows: Rows, now: datetime) -> Step:
    """Deduct product by product; whatever is in flight is settled before anything else."""
    states = {m.state for m in rows.movements}
    for step in _in_flight(rows.movements, now):
        return step
    if MovementState.REVIEW in states:
        return Review()
    if rows.cancel_requested or MovementState.REJECTED in states:
        return Reverse()
    if not rows.checked:
        return Check()
    for movement in rows.deductions:
        if movement.state is MovementState.PLANNED:
            return _claim(movement, now)
    return Taken()


def _while_reversing(rows: Rows, now: datetime) -> Step:
    """Give everything back; one product that must wait does not hold up the others."""
    mirrored = {m.reverses for m in rows.reversals}
    for movement in rows.deductions:
        if movement.state is MovementState.PLANNED or (
            movement.state is MovementState.APPLIED and movement.id not in mirrored
        ):
            return Reverse()
    steps = list(_in_flight(rows.movements, now))
    steps += [_claim(m, now) for m in rows.reversals if m.state is MovementState.PLANNED]
    waits = [step for step in steps if isinstance(step, Wait)]
    for step in steps:
        if not isinstance(step, Wait):
            return step
    if waits:
        return min(waits, key=lambda wait: wait.until)
    if any(m.state is MovementState.REVIEW for m in rows.movements):
        return Review()
    return Returned()


def _in_flight(movements: tuple[Movement, ...], now: datetime) -> Iterator[Step]:
    """Yield what to do about each movement that somebody holds, or held when they died."""
    for movement in movements:
        match movement.state:
            case MovementState.CLAIMED:
                yield _after(movement.lease_until, now, Recover(movement, MovementState.PLANNED))
            case MovementState.SENT:
                yield _after(movement.lease_until, now, Recover(movement, MovementState.UNKNOWN))
            case MovementState.UNKNOWN:
                # A reader of the outcome holds a lease too, so that only one reads at a time.
                due = max(t for t in (movement.settles_at, movement.lease_until) if t is not None)
                yield _after(due, now, ReadBack(movement))


def _claim(movement: Movement, now: datetime) -> Step:
    return _after(movement.not_before, now, Claim(movement))


def _after(due: datetime | None, now: datetime, step: Step) -> Step:
    """Return the step once it is due, until then a wait for it."""
    return step if due is None or now >= due else Wait(due)
