"""``python -m benchmarks.api``: the API under load, beside a usual service and PostgreSQL alone.

Everything is started here, and its data removed at the end. ``--quick`` takes three minutes,
``--growth`` compares the service with itself at 10,000, 100,000 and 1,000,000 orders.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.api import cpu, measuring, plot, table, work
from benchmarks.api.measuring import Row
from benchmarks.api.stack import WORKERS, Server, Stack
from tests.chaos import report

SIZES = (10_000, 100_000, 1_000_000)


def main() -> int:
    """Measure, print the table, and write the figures as JSON."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # clean up as after Ctrl-C
    begun = time.monotonic()
    with Stack() as stack:
        stack.upstream.set_stock({work.product(n): 10**9 for n in range(work.PRODUCTS)})
        rows, text = (_growth if options.growth else _compare)(stack, options)
    sys.stdout.write(
        f"commit {report.commit()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f},"
        f" {WORKERS} processes each, medians of {options.rounds} windows of {options.seconds:g} s,"
        f" {(time.monotonic() - begun) / 60:.0f} min in all; p50 to CPU in ms\n\n{text}"
    )
    if options.json:
        Path(options.json).write_text(json.dumps([row.document() for row in rows], indent=1) + "\n")
    return 0


def _compare(stack: Stack, options: argparse.Namespace) -> tuple[Sequence[Row], str]:
    database = stack.database("orders")
    ours = stack.ours(database, orders=options.orders)
    servers = [ours, stack.control(database), *_elsewhere(options, database)]
    works = [each for each in work.WORKS if each.is_quick or not options.quick]
    rows = list(
        measuring.measure(
            stack,
            servers,
            works,
            rounds=options.rounds,
            seconds=options.seconds,
            statement=_reading(),
        )
    )
    memory = ", ".join(f"{each:.0f}" for each in cpu.memory(ours.pid))
    text = table.side_by_side(rows, ours.name, [server.name for server in servers[1:]])
    return rows, f"{text}\nmemory of our worker processes afterwards (PSS): {memory} MiB\n"


def _growth(stack: Stack, options: argparse.Namespace) -> tuple[Sequence[Row], str]:
    sizes = [*SIZES, *([10_000_000] if options.ten_million else [])]
    servers = []
    for size in sizes:
        database = stack.database(f"orders_{size}")
        servers.append(stack.ours(database, orders=size, name=f"{size:,}"))
    rows = list(
        measuring.measure(
            stack, servers, work.GROWTH, rounds=options.rounds, seconds=options.seconds
        )
    )
    if options.plot:
        Path(options.plot).write_text(plot.growth(rows, sizes))
    return rows, table.growth(rows, [server.name for server in servers])


def _elsewhere(options: argparse.Namespace, database: str) -> list[Server]:
    """Return a server that is there already, and has the same orders, when there is one."""
    if not options.base_url:
        return []
    headers = dict(header.split(": ", 1) for header in options.header)
    return [Server(options.name, options.base_url, headers, database=database)]


def _reading() -> str:
    """Return our statement that reads an order."""
    os.environ |= {"DJANGO_SETTINGS_MODULE": "orderservice.settings", "DEBUG": "1"}
    importlib.import_module("django").setup()
    return str(importlib.import_module("orders.queries.details").BY_NUMBER)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api", description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000, help="that are there already")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median counts")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each window")
    parser.add_argument("--quick", action="store_true", help="fewer works")
    parser.add_argument("--growth", action="store_true", help="ourselves at several sizes")
    parser.add_argument("--ten-million", action="store_true", help="with --growth: one more size")
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    parser.add_argument("--plot", metavar="FILE", help="with --growth: draw them there, as SVG")
    parser.add_argument("--base-url", help="one more server that speaks this API")
    parser.add_argument("--name", default="elsewhere", help="what to call it")
    parser.add_argument(
        "--header", action="append", default=[], help="what its staff's calls carry: 'Name: value'"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
