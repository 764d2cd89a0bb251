"""One run from start to judgement."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg

from inventory_client.sandbox.faults import FAULTS
from tests.chaos import recovery, report, trials
from tests.chaos.forks import Ended
from tests.chaos.havoc import Havoc
from tests.chaos.judge import Truth, judge
from tests.chaos.people import People
from tests.chaos.points import BACKWARD, FORWARD
from tests.chaos.report import Report
from tests.chaos.rules import Rule
from tests.chaos.size import Size
from tests.chaos.stack import Stack

_PLENTY, _SCARCE = 1_000_000, 25
Say = Callable[[str], None]


@dataclass(slots=True)
class Run:
    """What to run; ``rule`` is the one to do without, None for the protocol as it is."""

    size: Size
    seed: int
    command: str
    ablation: str = ""
    rule: Rule | None = None
    _acknowledged: list[tuple[str, str]] = field(default_factory=list)

    def execute(self, say: Say) -> Report:
        """Run it, say how it is going, and return what came of it; leaves nothing behind."""
        begun = time.monotonic()
        result = Report(self.seed, self.command, self.ablation, report.commit())
        with Stack(pace=self.size.pace, workers=self.size.workers, ablation=self.ablation) as stack:
            if self.rule and self.rule.sql:
                with psycopg.connect(stack.database_url, autocommit=True) as connection:
                    connection.execute(self.rule.sql.encode())
            with trials.reviewing(stack.zygote, stack.upstream, stack.database_url) as reviews:
                initial = self._trials(stack, result, say)
                initial |= self._load(stack, result, say)
                say("waiting until all is settled")
                trials.wait_until_quiet(stack.database_url, stack.upstream, within=self.size.quiet)
                # Whoever judges what still moves sees a call on one side and not yet on the other.
                stack.retire()
                trials.wait_until_none_is_late(stack.upstream)
            result.reviews = len(reviews)
            self._judge(stack, initial, result)
        result.seconds = time.monotonic() - begun
        return result

    # --- what happens ----------------------------------------------------------------------------

    def _trials(self, stack: Stack, result: Report, say: Say) -> dict[str, int]:
        if not self.size.trials:
            return {}
        say("each kill step with each fault")
        self._set_faults(stack, 0.0)
        every = trials.product_of((*FORWARD, "in_read_back"), BACKWARD, self.seed)
        done = trials.run(
            every,
            zygote=stack.zygote,
            upstream=stack.upstream,
            deadline=time.monotonic() + self.size.trials,
            at_once=48,  # most of them wait for a lease or an outcome to settle
        )
        result.trials = done.begun
        if done.begun < len(every):
            result.trouble.append(f"{len(every) - done.begun} trials, for want of time")
        return done.initial

    def _load(self, stack: Stack, result: Report, say: Say) -> dict[str, int]:
        size = self.size
        products = [f"product-{number}" for number in range(size.products)]
        initial = {
            product: _SCARCE if number < size.scarce else _PLENTY
            for number, product in enumerate(products)
        }
        stack.upstream.set_stock(initial)
        self._set_faults(stack, size.fault_rate)
        people = People(
            base_url=f"http://127.0.0.1:{stack.port}",
            key=stack.key,
            products=products,
            pieces=size.pieces,
            seed=self.seed,
            orders=size.orders,
            for_bulk=size.bulk,
            rest=size.load * 0.6,
        )
        havoc = Havoc(stack, size.plan, seed=self.seed, within=size.load)
        deadline = time.monotonic() + size.load + size.patience
        say(f"{size.orders} orders, {size.bulk} of them in bulk")
        people.start(size.customers)
        havoc.start()
        try:
            self._bulk(stack, people, result, deadline)
            while time.monotonic() < deadline and not (
                havoc.finished.is_set() and not people.ordering()
            ):
                time.sleep(0.1)
        finally:
            havoc.stop()
            people.stop()
            self._set_faults(stack, 0.0)
            stack.orders.disarm()
        result.outside = dict(havoc.done)
        result.trouble += havoc.failed
        result.answers = dict(people.memory.answers)
        result.wrong_answers = people.memory.wrong
        self._acknowledged = [(each.key, each.public_id) for each in people.memory.acknowledged]
        return initial

    def _bulk(self, stack: Stack, people: People, result: Report, deadline: float) -> None:
        """Confirm the first orders as one batch once they are placed; twice, as people do."""
        while len(people.bulk) < self.size.bulk and time.monotonic() < deadline:
            if not people.ordering():
                break
            time.sleep(0.1)
        numbers = list(people.bulk)
        result.bulk = {"selected": len(numbers)}
        for _ in range(2):
            self._insist(stack, numbers, deadline)

    def _insist(self, stack: Stack, numbers: list[int], deadline: float) -> None:
        """Ask for the batch until it is written; the database may just be away."""
        while time.monotonic() < deadline:
            ended: Ended = stack.zygote.ask("confirm_many", numbers=numbers).result(timeout=60)
            if not ended.killed and not ended.error:
                return
            time.sleep(0.2)

    def _set_faults(self, stack: Stack, rate: float) -> None:
        pace = self.size.pace
        faults = self.rule.faults if self.rule and self.rule.faults else FAULTS
        only_adjusts = self.rule is not None and self.rule.fault_rate > 0
        stack.upstream.call(
            "PUT",
            "faults",
            {
                "seed": self.seed,
                "probabilities": dict.fromkeys(faults, rate / len(faults)) if rate else {},
                "operations": ["adjust"] if only_adjusts else ["adjust", "check", "read"],
                "late_seconds": pace.late,
                "latency_max": pace.late,
            },
        )

    # --- what came of it -------------------------------------------------------------------------

    def _judge(self, stack: Stack, initial: dict[str, int], result: Report) -> None:
        upstream, url = stack.upstream, stack.database_url
        without_ledger = bool(self.rule and self.rule.without_ledger)
        truth = Truth(upstream.effects(), initial, upstream.stock(), self._acknowledged)
        judgement = judge(url, truth, without_ledger=without_ledger)
        result.violations = judgement.violations
        result.unresolved = judgement.unresolved
        result.drift = judgement.drift
        journal = stack.orders.journal_entries()
        kills = Counter(str(each["step"]) for each in journal if each["what"] == "kill")
        for what in [what for what in result.outside if what.startswith("strike")]:
            kills[f"any instant ({what.removeprefix('strike ')})"] = result.outside.pop(what)
        result.kills = dict(kills)
        result.pauses = sum(each["what"] == "pause" for each in journal)
        result.restarts = dict(stack.restarts)
        state = upstream.state()
        result.calls, result.faults = state["calls"], state["faults"]["served"]
        result.orders = _count(url, "SELECT status, count(*) FROM orders_order GROUP BY 1")
        result.orders["acknowledged"] = len({key for key, _ in self._acknowledged})
        result.movements = _count(
            url, "SELECT state, count(*) FROM orders_stockmovement GROUP BY 1"
        )
        seconds = recovery.times(url, journal)
        result.recovery = {
            "recoveries": len(seconds),
            "p50": recovery.quantile(seconds, 0.5),
            "p95": recovery.quantile(seconds, 0.95),
            "max": seconds[-1] if seconds else None,
        }
        result.reconcile_exit = stack.manage("reconcile_stock").returncode


def _count(database_url: str, statement: str) -> dict[str, int]:
    with psycopg.connect(database_url) as connection:
        return {str(name): int(n) for name, n in connection.execute(statement.encode()).fetchall()}
