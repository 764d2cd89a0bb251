"""``python -m tests.chaos.cost``: what "exactly once" costs, beside a service that does without.

Both run at the same time, on databases of their own, and take turns: this service as it is
deployed, and the same service with the algorithm of the one that it replaces (no lock, no ledger, a
call a line). Orders have two lines; each order has products of its own, as nothing but the price of
the protocol is to be seen.
"""

import argparse
import os
import signal
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.chaos import report
from tests.chaos.drills import Drill
from tests.chaos.people import Acknowledged
from tests.chaos.recovery import quantile
from tests.chaos.stack import Stack

_TICK = 1000 / os.sysconf("SC_CLK_TCK")  # milliseconds


@dataclass(slots=True)
class Side:
    """One of the two; each of its ``rows`` holds rounds of (p50, p95, web CPU, PostgreSQL CPU)."""

    name: str
    stack: Stack
    drill: Drill
    rows: dict[str, list[tuple[float, ...]]] = field(default_factory=lambda: defaultdict(list))
    calls: float = 0.0
    statements: int = 0

    def measure(self, row: str, orders: int, at_once: int) -> None:
        """Confirm so many orders, ``at_once`` at a time, and note what it took."""
        placed = [self.drill.placed.pop() for _ in range(orders)]
        web, database = self._cpu()
        with ThreadPoolExecutor(at_once) as staff:
            seconds = sorted(staff.map(self._timed, placed))
        web_after, database_after = self._cpu()
        p50, p95 = (1000 * (quantile(seconds, share) or 0) for share in (0.5, 0.95))
        self.rows[row].append(
            (p50, p95, (web_after - web) / orders, (database_after - database) / orders)
        )

    def count(self, orders: int) -> None:
        """Count the calls to the inventory and the statements of a confirmation."""
        placed = [self.drill.placed.pop() for _ in range(orders)]
        self.statements = self.stack.zygote.do("count_statements", number=placed.pop().number)
        calls = self._calls()
        for order in placed:
            self.drill.click(order)
        self.calls = (self._calls() - calls) / len(placed)

    def _timed(self, order: Acknowledged) -> float:
        begun = time.perf_counter()
        self.drill.click(order)
        return time.perf_counter() - begun

    def _calls(self) -> int:
        return sum(self.stack.upstream.state()["calls"].values())

    def _cpu(self) -> tuple[float, float]:
        """Return the milliseconds of CPU that web server and PostgreSQL have had."""
        processes = self.stack.processes()
        return _milliseconds(processes["web"]), _milliseconds(processes["postgresql"])


def _milliseconds(processes: set[int]) -> float:
    total = 0
    for pid in processes:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])  # user and system
    return total * _TICK


def main() -> int:
    """Measure both, and print them side by side."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.cost", description=__doc__)
    parser.add_argument("--orders", type=int, default=100, help="in each round (default: 100)")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median counts")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # clean up as after Ctrl-C
    with ExitStack() as running:
        sides = []
        for name, ablation in (("exactly once", ""), ("unsafe control", "old-service")):
            # No worker: it would add what it does when idle.
            stack = Stack(workers=0, true_pace=not ablation, ablation=ablation)
            running.enter_context(stack)
            wanted = options.orders * options.rounds * 4 + 50
            sides.append(Side(name, stack, Drill(stack, wanted, products=2 * wanted)))
        for latency in (0, 20):
            for _ in range(options.rounds):
                for side in sides:
                    side.stack.upstream.call("PUT", "switches", {"latency_ms": latency})
                    for at_once in (1, 16):
                        row = f"{at_once} at once, inventory {latency} ms"
                        side.measure(row, options.orders, at_once)
        for side in sides:
            side.count(21)
    sys.stdout.write(_table(*sides))
    return 0


def _table(ours: Side, control: Side) -> str:
    lines = [
        f"commit {report.commit()}; medians; ms",
        f"| a confirmation of two products | {ours.name} | {control.name} | ratio |",
        "|---|---|---|---|",
    ]
    names = ("p50", "p95", "web CPU", "PostgreSQL CPU")
    for row in ours.rows:
        for column, name in enumerate(names):
            a, b = (median(each[column] for each in side.rows[row]) for side in (ours, control))
            lines.append(f"| {row}: {name} | {a:.1f} | {b:.1f} | {a / b if b else 0:.1f} |")
    for name in ("calls", "statements"):
        a, b = getattr(ours, name), getattr(control, name)
        lines.append(f"| {name} | {a:.1f} | {b:.1f} | {a / b if b else 0:.1f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
