"""A seeded world in which workers that die drive the real `next_step` against a bad upstream.

Discrete events, no threads and no clock: thousands of crashes a second, each repeatable by its
seed. The upstream is not idempotent, reads and then writes, fails before or after it applied, and
may apply late. What the world really did is counted beside what the ledger believes.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from orders.status import ConfirmationState, MovementState
from orders.stock.protocol import (
    Check,
    Claim,
    Movement,
    ReadBack,
    Recover,
    Returned,
    Reverse,
    Review,
    Rows,
    Settled,
    Step,
    Taken,
    Wait,
    next_step,
)

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
# Seconds. The upstream applies nothing later than LATEST after it was asked.
GUARD, TIMEOUT, SETTLE, LEASE, LATEST = 2.0, 5.0, 40.0, 20.0, 30.0
FAULTS = ("reset_before", "reset_after", "500_before", "500_after", "late", "late_dead")
S = MovementState
Process = Generator[tuple[Any, ...], Any, None]


@dataclass(frozen=True)
class Rules:
    """The protocol, from which an ablation takes one rule away."""

    settle: float = SETTLE
    mutex: str = "claimed"  # or "sent" (too late), or "" (none)
    write_ahead: bool = True
    server_errors_unknown: bool = True
    compensation: bool = True
    send_guard: bool = True
    sole_writer: bool = False
    faults: float = 0.25
    kills: int = 6
    outside_edits: int = 0


@dataclass
class Case:
    """One order's confirmation, and what staff wanted of it."""

    rows: Rows
    outcome: str = "PENDING"
    wake: float = 0.0


@dataclass
class World:
    """Twelve orders of three products, three workers, and everything that goes wrong."""

    seed: int
    rules: Rules
    now: float = 0.0
    events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    violations: Counter[str] = field(default_factory=Counter)
    applied: Counter[UUID] = field(default_factory=Counter)
    reviews: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.stock = {p: self.random.choice([3, 8, 50]) for p in "abc"}
        self.initial = dict(self.stock)
        self.edits: Counter[str] = Counter()
        self.touched = dict.fromkeys("abc", 0)
        self.epochs = [0, 0, 0]
        self.before: dict[UUID, tuple[int, int]] = {}
        self.cases = [self._case(n) for n in range(12)]
        for worker in range(3):
            self._start(worker)
        for _ in range(self.rules.kills):
            self.at(self.random.uniform(0, 150), lambda: self._kill(self.random.randrange(3)))
        for _ in range(2):
            self.at(
                self.random.uniform(0, 60), lambda: self._cancel(self.random.choice(self.cases))
            )
        for _ in range(self.rules.outside_edits):
            self.at(self.random.uniform(0, 150), lambda: self._edit(self.random.choice("abc")))

    # --- the world's clock -----------------------------------------------------------------------

    def at(self, time: float, event: Callable[[], None]) -> None:
        heapq.heappush(self.events, (time, len(self.events) + self.random.getrandbits(32), event))

    def stamp(self, time: float) -> datetime:
        return EPOCH + timedelta(seconds=time)

    def run(self) -> "World":
        while self.events and self.now < 4000:
            self.now, _, event = heapq.heappop(self.events)
            event()
            if self.now > 200 and all(c.outcome != "PENDING" for c in self.cases):
                break
        self.epochs = [-1, -1, -1]
        while self.events:  # what is still on its way upstream lands
            self.now, _, event = heapq.heappop(self.events)
            event()
        self._judge()
        return self

    # --- orders and staff ------------------------------------------------------------------------

    def _uuid(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def _movement(self, product: str, delta: int, reverses: UUID | None = None) -> Movement:
        return Movement(
            self._uuid(), product, delta, reverses, S.PLANNED, 0, 0, None, None, None, None, None
        )

    def _case(self, number: int) -> Case:
        products = sorted(self.random.sample("abc", self.random.choice([1, 2, 3])))
        movements = tuple(self._movement(p, -self.random.choice([1, 1, 2])) for p in products)
        return Case(Rows(ConfirmationState.RUNNING, False, False, movements))

    def _cancel(self, case: Case) -> None:
        if case.outcome == "PENDING":
            case.rows = replace(case.rows, cancel_requested=True)
        elif case.outcome == "CONFIRMED":
            case.outcome = "PENDING"
            case.rows = replace(case.rows, state=ConfirmationState.REVERSING, cancel_requested=True)
        case.wake = self.now

    def _edit(self, product: str) -> None:
        change = self.random.choice([-1, 1, 5])
        if self.stock[product] + change >= 0:
            self.stock[product] += change
            self.touched[product] += 1
            self.edits[product] += change

    def _decide(self, case: Case, movement_id: UUID) -> None:
        """A person finds the movement's reason upstream, or does not."""
        to = S.APPLIED if self.applied[movement_id] else S.PLANNED
        self.update(case, movement_id, state=to)
        case.wake = self.now

    # --- rows ------------------------------------------------------------------------------------

    def update(self, case: Case, movement_id: UUID, **changes: Any) -> Movement:
        movements = tuple(
            replace(m, **changes) if m.id == movement_id else m for m in case.rows.movements
        )
        case.rows = replace(case.rows, movements=movements)
        return next(m for m in movements if m.id == movement_id)

    def row(self, case: Case, movement_id: UUID) -> Movement:
        return next(m for m in case.rows.movements if m.id == movement_id)

    def busy(self, product: str, states: tuple[MovementState, ...]) -> bool:
        return any(
            m.product_id == product and m.state in states
            for case in self.cases
            for m in case.rows.movements
        )

    # --- workers ---------------------------------------------------------------------------------

    def _start(self, worker: int) -> None:
        self._resume(worker, self.epochs[worker], self._worker(), None)

    def _kill(self, worker: int) -> None:
        if self.epochs[worker] < 0:
            return
        self.epochs[worker] += 1
        self.at(self.now + self.random.uniform(1, 5), lambda: self._start(worker))

    def _resume(self, worker: int, epoch: int, process: Process, value: Any) -> None:
        if self.epochs[worker] != epoch:
            return
        call, *arguments = process.send(value)

        def back(answer: Any = None) -> None:
            self._resume(worker, epoch, process, answer)

        if call == "sleep":
            self.at(self.now + arguments[0], back)
        elif call == "read":
            self.at(
                self.now + self.random.uniform(0.01, 0.2), lambda: self._read(arguments[0], back)
            )
        else:
            self._adjust(arguments[0], back)

    def _read(self, product: str, back: Callable[[Any], None]) -> None:
        """Read now, answer a moment later: an answer is always about the past."""
        level = self.stock[product], self.touched[product]
        self.at(self.now + self.random.uniform(0.01, 0.2), lambda: back(level))

    def _worker(self) -> Process:
        while True:
            due = [c for c in self.cases if c.outcome == "PENDING" and c.wake <= self.now]
            if not due:
                yield ("sleep", self.random.uniform(0.3, 1))
                continue
            case = due[0]
            case.wake = self.now + LEASE
            yield from self._drive(case)

    def _drive(self, case: Case) -> Process:
        while True:
            step: Step = next_step(case.rows, self.stamp(self.now))
            match step:
                case Wait(until):
                    case.wake = (until - EPOCH).total_seconds()
                    return
                case Review():
                    case.wake = self.now + 60
                    for m in case.rows.movements:
                        if m.state is S.REVIEW:
                            self._decide(case, m.id)
                    return
                case Settled():
                    return
                case Taken():
                    case.rows = replace(case.rows, state=ConfirmationState.CONFIRMED)
                    case.outcome = "CONFIRMED"
                    return
                case Returned():
                    case.rows = replace(case.rows, state=ConfirmationState.REJECTED)
                    case.outcome = "RETURNED"
                    return
                case Check():
                    case.rows = replace(case.rows, checked=True)
                case Recover(m, to):
                    if to is S.UNKNOWN and not self.rules.write_ahead:
                        to = S.PLANNED
                    self.update(case, m.id, state=to, fence=m.fence + 1, lease_until=None)
                case Reverse():
                    self._reverse(case)
                case ReadBack(m):
                    yield from self._read_back(case, m)
                case Claim(m):
                    held = (S.CLAIMED, S.SENT, S.UNKNOWN)
                    if self.rules.mutex == "claimed" and self.busy(m.product_id, held):
                        case.wake = self.now + self.random.uniform(0.05, 0.3)
                        return
                    yield from self._claim_and_send(case, m)

    def _reverse(self, case: Case) -> None:
        mirrored = {m.reverses for m in case.rows.reversals}
        for m in case.rows.deductions:
            if m.state is S.PLANNED:
                self.update(case, m.id, state=S.VOID)
        reversals = tuple(
            self._movement(m.product_id, -m.delta, reverses=m.id)
            for m in case.rows.deductions
            if m.state is S.APPLIED and m.id not in mirrored
        )
        if not self.rules.compensation:
            reversals = tuple(replace(m, state=S.APPLIED) for m in reversals)  # never sent
        case.rows = replace(
            case.rows,
            state=ConfirmationState.REVERSING,
            movements=case.rows.movements + reversals,
        )

    def _read_back(self, case: Case, m: Movement) -> Process:
        fence = m.fence + 1
        self.update(case, m.id, fence=fence, lease_until=self.stamp(self.now + LEASE))
        level = yield ("read", m.product_id)
        if self.row(case, m.id).fence == fence:
            before = self.before[m.id]
            to = S.REVIEW
            if level == before:
                to = S.PLANNED
            elif self.rules.sole_writer and level[0] == before[0] + m.delta:
                to = S.APPLIED
            self.reviews += to is S.REVIEW
            self.update(case, m.id, state=to, settles_at=None)

    def _claim_and_send(self, case: Case, m: Movement) -> Process:
        fence = m.fence + 1
        self.update(
            case, m.id, state=S.CLAIMED, fence=fence, lease_until=self.stamp(self.now + LEASE)
        )
        level = yield ("read", m.product_id)
        mine = self.row(case, m.id)
        if mine.fence != fence or mine.state is not S.CLAIMED:
            return
        if self.rules.mutex == "sent" and self.busy(m.product_id, (S.SENT, S.UNKNOWN)):
            self.update(case, m.id, state=S.PLANNED, not_before=self.stamp(self.now + 0.2))
            return
        if level[0] + m.delta < 0:
            self.update(case, m.id, state=S.REJECTED)
            return
        sent = self.now
        self.before[m.id] = level
        self.update(
            case,
            m.id,
            state=S.SENT,
            lease_until=self.stamp(sent + LEASE),
            settles_at=self.stamp(sent + GUARD + TIMEOUT + self.rules.settle),
        )
        # Now and then a process is stopped just here, by a garbage collector or a full disk.
        yield ("sleep", self.random.uniform(1, 100) if self.random.random() < 0.03 else 0.005)
        if self.rules.send_guard and self.now - sent > GUARD:
            return
        answer = yield ("adjust", m)
        mine = self.row(case, m.id)
        if mine.fence != fence or mine.state is not S.SENT:
            return
        if answer == "500" and not self.rules.server_errors_unknown:
            answer = "retry"
        to = {"200": S.APPLIED, "400": S.REJECTED, "retry": S.PLANNED}.get(answer, S.UNKNOWN)
        changes: dict[str, Any] = {"state": to, "lease_until": None}
        if to is S.UNKNOWN and not self.rules.settle:
            changes["settles_at"] = self.stamp(self.now)
        self.update(case, m.id, **changes)

    # --- the upstream ----------------------------------------------------------------------------

    def _adjust(self, m: Movement, back: Callable[[str], None]) -> None:
        odds = self.rules.faults
        weights = [1 - odds] + [odds / len(FAULTS)] * len(FAULTS)
        fault = self.random.choices(("", *FAULTS), weights)[0]
        answered = False

        def reply(answer: str) -> None:
            nonlocal answered
            if not answered:
                answered = True
                back(answer)

        self.at(self.now + TIMEOUT, lambda: reply("timeout"))
        if fault in ("reset_before", "500_before"):
            self.at(self.now + 0.05, lambda: reply(fault.partition("_")[0]))
            return
        delay = self.random.uniform(TIMEOUT, LATEST - 2) if fault.startswith("late") else 0.0
        if fault == "late_dead":
            self.at(self.now + 0.1, lambda: reply("reset"))

        def write(quantity: int) -> None:
            self.stock[m.product_id] = quantity
            self.touched[m.product_id] += 1
            self.applied[m.id] += 1
            spoilt = {"reset_after": "reset", "500_after": "500"}
            self.at(self.now + 0.01, lambda: reply(spoilt.get(fault, "200")))

        def read() -> None:
            quantity = self.stock[m.product_id] + m.delta
            if quantity < 0:
                reply("500" if fault == "500_after" else "400")
            else:
                self.at(self.now + self.random.uniform(0.01, 1), lambda: write(quantity))

        self.at(self.now + delay + self.random.uniform(0.01, 0.1), read)

    # --- the judgement ---------------------------------------------------------------------------

    def _judge(self) -> None:
        movements = [m for case in self.cases for m in case.rows.movements]
        for m in movements:
            times = self.applied[m.id]
            self.violations["I1 applied twice"] += times > 1
            self.violations["I2 ledger against truth"] += (m.state is S.APPLIED) != (times == 1)
        for product, quantity in self.stock.items():
            believed = sum(
                m.delta for m in movements if m.product_id == product and m.state is S.APPLIED
            )
            expected = self.initial[product] + self.edits[product] + believed
            self.violations["I3 conservation"] += quantity != expected
            self.violations["I3 below zero"] += quantity < 0
        for case in self.cases:
            for deduction in case.rows.deductions:
                reversal = [m for m in case.rows.reversals if m.reverses == deduction.id]
                net = self.applied[deduction.id] - sum(self.applied[m.id] for m in reversal)
                if case.outcome == "CONFIRMED":
                    self.violations["I4 confirmed without stock"] += net != 1
                elif case.outcome == "RETURNED":
                    self.violations["I5 leak"] += net != 0
                self.violations["I6 two reversals"] += len(reversal) > 1
            self.violations["I7 stuck"] += case.outcome == "PENDING"
        self.violations = +self.violations
