"""The product of kill steps and faults: one order each, judged together once all have settled."""

import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from inventory_client.sandbox.faults import FAULTS
from tests.chaos.forks import Ended, Zygote
from tests.chaos.upstream import Upstream


@dataclass(frozen=True, slots=True)
class Trial:
    """One order: its first call suffers the fault, and its process dies at the step."""

    step: str
    fault: str
    backward: bool

    @property
    def product(self) -> str:
        """The name that its two products begin with; no other trial shares them."""
        return f"{self.step}-{self.fault or 'none'}"


def product_of(forward: Sequence[str], backward: Sequence[str], seed: int) -> list[Trial]:
    """Return a trial for each pair of a step and a fault, or none, in a seeded order."""
    trials = [
        Trial(step, fault, step in backward)
        for step in (*forward, *backward)
        for fault in ("", *FAULTS)
    ]
    random.Random(seed).shuffle(trials)
    return trials


@dataclass(slots=True)
class Trials:
    """What came of the trials; those not killed lost their step to whoever went on for them."""

    killed: int = 0
    not_reached: list[str] = field(default_factory=list)
    initial: dict[str, int] = field(default_factory=dict)

    @property
    def begun(self) -> int:
        """How many there was time for."""
        return self.killed + len(self.not_reached)


def run(
    trials: Sequence[Trial],
    *,
    zygote: Zygote,
    upstream: Upstream,
    deadline: float,
    at_once: int = 16,
) -> Trials:
    """Run them, ``at_once`` side by side, beginning none after ``deadline`` (`time.monotonic`)."""
    done = Trials(initial={f"{t.product}-{line}": 40 for t in trials for line in "ab"})
    upstream.set_stock(done.initial)
    for trial, ended in _in_turn(trials, zygote, upstream, deadline, at_once):
        if ended.error:
            raise RuntimeError(f"{trial}: {ended.error}")
        done.killed += ended.killed
        if not ended.killed:
            done.not_reached.append(trial.product)
    return done


def _in_turn(
    trials: Sequence[Trial], zygote: Zygote, upstream: Upstream, deadline: float, at_once: int
) -> Iterator[tuple[Trial, Ended]]:
    under_way: list[tuple[Trial, Future[Ended]]] = []
    waiting = list(reversed(trials))
    while waiting or under_way:
        while waiting and len(under_way) < at_once and time.monotonic() < deadline:
            trial = waiting.pop()
            under_way.append(
                (
                    trial,
                    zygote.ask(
                        "trial",
                        step=trial.step,
                        fault=trial.fault,
                        product=trial.product,
                        control=upstream.root,
                        backward=trial.backward,
                    ),
                )
            )
        if not under_way:
            return
        for pair in [pair for pair in under_way if pair[1].done()]:
            under_way.remove(pair)
            yield pair[0], pair[1].result()
        time.sleep(0.005)


@contextmanager
def settling(zygote: Zygote, folder: Path, count: int = 3) -> Iterator[None]:
    """Have some processes advance what is due, as the workers do."""
    enough = folder / "enough.settling"
    asked = [zygote.ask("settle", until=str(enough)) for _ in range(count)]
    try:
        yield
    finally:
        enough.touch()
        for each in asked:
            each.result(timeout=30)
        enough.unlink()


@contextmanager
def reviewing(zygote: Zygote, upstream: Upstream, database_url: str) -> Iterator[list[str]]:
    """Have a person decide each review by looking upstream; gives the list of those decided."""
    decided: list[str] = []
    enough = threading.Event()

    def review() -> None:
        while not enough.wait(0.1):
            try:
                review_once(zygote, upstream, database_url, decided)
            except (psycopg.OperationalError, RuntimeError):
                continue  # the database is away, or somebody else was faster

    thread = threading.Thread(target=review)
    thread.start()
    try:
        yield decided
    finally:
        enough.set()
        thread.join()


def review_once(zygote: Zygote, upstream: Upstream, database_url: str, decided: list[str]) -> None:
    """Decide what is in review now."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        waiting = connection.execute(
            "SELECT id::text, product_id FROM orders_stockmovement WHERE state = 'review'"
        ).fetchall()
    if not waiting:
        return
    applied = {effect.movement_id for effect in upstream.effects()}
    for movement, _ in waiting:
        zygote.do("resolve", movement=movement, applied=movement in applied)
        decided.append(movement)


def wait_until_none_is_late(upstream: Upstream, within: float = 30.0) -> None:
    """Wait until the inventory has applied what it answers and applies late."""
    deadline = time.monotonic() + within
    while upstream.state()["late"] and time.monotonic() < deadline:
        time.sleep(0.1)


def wait_until_quiet(database_url: str, upstream: Upstream, within: float) -> bool:
    """Wait until nothing is under way on either side; tell whether that came in time."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            with psycopg.connect(database_url, autocommit=True) as connection:
                row = connection.execute(
                    "SELECT count(*) FROM orders_confirmation"
                    " WHERE state IN ('running', 'reversing')"
                ).fetchone()
        except psycopg.OperationalError:
            row = None
        if row and row[0] == 0 and upstream.state()["late"] == 0:
            return True
        time.sleep(0.1)
    return False
