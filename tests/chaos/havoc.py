"""What is done to a run from outside: kills at steps and at any time, stops, restarts, outages."""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from orderservice.dev.postgres_cluster import LocalPostgresError
from tests.chaos.stack import Stack

_STRUCK = ("web", "worker", "worker")


@dataclass(frozen=True, slots=True)
class Plan:
    """How often each thing is done, spread over the run in a seeded order.

    ``kills`` are at named steps and ``strikes`` at any instant; both are kill -9.
    """

    kills: int
    strikes: int
    pauses: int
    stops: int
    restarts: int
    cuts: int
    exhaustions: int
    outages: int
    steps: Sequence[str]

    def events(self, chance: random.Random) -> list[tuple[str, str]]:
        """Return what is to be done, in the order in which it is."""
        steps = list(self.steps)
        chance.shuffle(steps)
        events = [("kill", steps[n % len(steps)]) for n in range(self.kills)]
        events += [
            ("strike", chance.choice(["web", "worker", "worker"])) for _ in range(self.strikes)
        ]
        for what, count in (
            ("pause", self.pauses),
            ("stop", self.stops),
            ("restart", self.restarts),
            ("cut", self.cuts),
            ("exhaust", self.exhaustions),
            ("outage", self.outages),
        ):
            events += [(what, "")] * count
        chance.shuffle(events)
        return events


class Havoc(threading.Thread):
    """Carries a plan out within some seconds; notes what it did, and when processes were struck."""

    def __init__(self, stack: Stack, plan: Plan, *, seed: int, within: float) -> None:
        super().__init__(daemon=True)
        self.done: Counter[str] = Counter()
        self.failed: list[str] = []
        self.finished = threading.Event()
        self._stack = stack
        self._chance = random.Random(seed)
        self._events = plan.events(self._chance)
        self._within = within
        self._enough = threading.Event()

    def run(self) -> None:
        """Do one thing after another, evenly spread."""
        begun = time.monotonic()
        for position, (what, where) in enumerate(self._events, start=1):
            due = begun + self._within * position / (len(self._events) + 1)
            if self._enough.wait(max(0.0, due - time.monotonic())):
                break
            try:
                self._do(what, where)
            except (psycopg.Error, OSError, LocalPostgresError) as exc:
                self.failed.append(f"{what} {where}: {exc}")
        for _ in self._stack.orders.disarm():
            # Nobody passed that step in time. The process dies all the same, wherever it is.
            if self._enough.wait(0.3):
                break
            self._do("strike", "worker")
        self.finished.set()

    def stop(self) -> None:
        """Do nothing more, and wait for what is being done."""
        self._enough.set()
        self.join()

    def _do(self, what: str, where: str) -> None:
        stack, pace = self._stack, self._stack.orders.pace
        match what:
            case "kill":
                stack.orders.arm(where)  # counted in the journal, by the process that dies
                return
            case "pause":
                stack.orders.arm("after_sent", pace.nap)
                return
            case "strike":
                if stack.strike(where, signal.SIGKILL, self._chance) is None:
                    return
            case "stop":
                self._freeze(pace.stop)
            case "restart":
                stack.restart_database()
            case "cut":
                stack.cut_connections()
            case "exhaust":
                stack.exhaust_connections(1.0)
            case "outage":
                stack.upstream.call("POST", "refuse", {"seconds": 2.0})
        self.done[f"{what} {where}".strip()] += 1

    def _freeze(self, seconds: float) -> None:
        """Stop a worker for longer than its lease, and let it go on."""
        victim = self._stack.strike("worker", signal.SIGSTOP, self._chance)
        if victim is not None:
            time.sleep(seconds)
            self._stack.resume(victim)
