"""Measuring in turns: a window of one server, a window of the next, and again."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from benchmarks.api import statements, work
from benchmarks.api.load import Load
from benchmarks.api.stack import Server, Stack
from benchmarks.api.work import Work

WARM_UP = 0.2  # of a window, before the first


@dataclass(frozen=True, slots=True)
class Window:
    """What a server did: answers a second, ms within which they came, and ms of CPU for each."""

    rate: float
    p50: float
    p95: float
    p99: float
    cpu: float
    postgres_cpu: float


@dataclass(frozen=True, slots=True)
class Row:
    """A work in figures: each server's windows, and pgbench's transactions a second."""

    name: str
    windows: dict[str, list[Window]]
    pgbench: list[float]

    def median(self, server: str, figure: str) -> float:
        """Return the median of a server's figure over its windows."""
        found = [getattr(window, figure) for window in self.windows[server]]
        return median(found) if found else math.nan

    def document(self) -> dict[str, object]:
        """Return it as JSON's types."""
        windows = {name: [asdict(each) for each in found] for name, found in self.windows.items()}
        return {"name": self.name, "windows": windows, "pgbench": self.pgbench}


def measure(
    stack: Stack,
    servers: Sequence[Server],
    works: Sequence[Work],
    *,
    rounds: int,
    seconds: float,
    statement: str = "",
) -> Iterator[Row]:
    """Have the servers do each work in turns, so many windows of so many seconds; yield its row.

    ``statement`` is what reads an order, for pgbench; without it pgbench is left out.
    """
    for each in works:
        stack.upstream.call("PUT", "switches", {"latency_ms": each.latency})
        row = Row(each.name, {server.name: [] for server in servers}, [])
        for number in range(-1, rounds):
            for server in servers:
                length = seconds * (WARM_UP if number < 0 else 1)
                window = _window(stack, server, each, number, length)
                if number >= 0:
                    row.windows[server.name].append(window)
                    _tell(f"{each.name}: {server.name} {window.rate:.0f}/s\n")
            if number >= 0 and each.pgbench and statement:
                database = servers[0].database
                script = statements.script(each.pgbench, database, statement)
                row.pgbench.append(
                    statements.rate(
                        stack.binaries, database, script, clients=each.clients, seconds=seconds
                    )
                )
        yield row


def _window(stack: Stack, server: Server, each: Work, number: int, seconds: float) -> Window:
    if each.requests is work.confirm:
        work.waiting(stack, server, max(100, round(200 * seconds)))
    requests = each.requests(server, random.Random(number))
    load = Load(server.url, requests, status=each.status)
    cpu, postgres = server.cpu(), stack.postgres_cpu()
    done = load.run(each.clients, seconds)
    cpu, postgres = server.cpu() - cpu, stack.postgres_cpu() - postgres
    if done.wrong:
        _tell(f"{each.name}: {server.name} answered otherwise: {dict(done.wrong)}\n")
    count = max(1, len(done.times))
    p50, p95, p99 = (done.quantile(share) for share in (0.5, 0.95, 0.99))
    return Window(done.rate, p50, p95, p99, cpu / count, postgres / count)


def _tell(words: str) -> None:
    sys.stderr.write(words)
    sys.stderr.flush()
