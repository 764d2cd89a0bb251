"""What the service is put through while customers and staff call it; each returns what was wrong.

``rolling``: web instances and the worker are replaced one after the other. ``database``: PostgreSQL
is away for a while: stopped, ended as by a crash, or there and frozen.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle

import psycopg

from tests.processes import ask, wait_for
from tests.uptime.load import Call, Load, summary
from tests.uptime.site import PATIENCE, Instance, Site
from tests.uptime.verdict import PLENTY, PRODUCTS, say

# Seconds that any answer may take without the database: DATABASE_OPTIONS gives a connection 5 s to
# come about, and a request asks for one only once. A server that is stopped refuses at once. One
# that is frozen is given up 2 s after its own limit of 15 s, by those who had asked it already.
BOUND = {"stopped": 6.0, "crashed": 6.0, "frozen": 18.0}


def open_shop(site: Site) -> Load:
    """Put products on the shelves; return who will call."""
    site.upstream.set_stock(dict.fromkeys(PRODUCTS, PLENTY))
    return Load(site.port, site.key, PRODUCTS)


def rolling(
    site: Site, load: Load, *, rate: float, seconds: float = 0.0, only: Sequence[str] = ()
) -> list[str]:
    """Replace everything in turn for so long, or each once; no call may fail."""
    load.prepare(20)
    replaced: Counter[str] = Counter()
    parts = {"web1": site.instances[0], "worker": site.worker, "web2": site.instances[1]}
    turn = {name: part for name, part in parts.items() if name in (only or parts)}

    def replace_in_turn() -> None:
        end = time.monotonic() + seconds
        for name, part in cycle(turn.items()):
            if len(replaced) == len(turn) and time.monotonic() >= end:
                return
            if isinstance(part, Instance):
                ended, began = site.replace(part)
                say(f"{name}: SIGTERM to its end {ended:.1f} s, start to ready {began:.1f} s")
            else:
                say(f"{name}: SIGTERM to its end {part.stop():.1f} s")
                part.start()
            replaced[name] += 1

    load.during(replace_in_turn, rate=rate, most=seconds or PATIENCE)
    failed = [call for call in load.calls if not call.good]
    say(f"replaced: {_counts(replaced)}; {summary(load.calls)}")
    say(f"failed: {len(failed)}")
    found = [f"{call.kind}: {call.fault or call.status}" for call in failed]
    return found + site.complaints()


@dataclass(slots=True)
class Probes:
    """What an instance says of its health while it goes on: when it was asked, and the statuses."""

    port: int
    seen: list[tuple[float, int, int]] = field(default_factory=list)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Ask /health and /health/ready four times a second."""
        enough = threading.Event()

        def look() -> None:
            while not enough.wait(0.25):
                at = time.monotonic()
                self.seen.append((at, ask(self.port, "/health")[0], self.ready()))

        with ThreadPoolExecutor(1) as prober:
            looking = prober.submit(look)
            try:
                yield
            finally:
                enough.set()
            looking.result()

    def ready(self) -> int:
        """Return the status of /health/ready."""
        return ask(self.port, "/health/ready")[0]


@dataclass(slots=True)
class Times:
    """By the monotonic clock: when PostgreSQL was told to stop, gone, told to start, and back."""

    stopping: float = 0.0
    gone: float = 0.0
    starting: float = 0.0
    back: float = 0.0

    def without(self, call: Call) -> bool:
        """Tell whether the call had to do without the database from beginning to end."""
        return self.gone <= call.due and call.due + call.seconds <= self.starting


def database(
    site: Site,
    load: Load,
    *,
    rate: float,
    seconds: float,
    batch: int = 0,
    how: str = "stopped",
) -> list[str]:
    """Have no PostgreSQL for so long, in the middle of a batch; after it nothing is restarted.

    ``how`` is a key of `BOUND`.
    """
    load.prepare(batch + 20)
    numbers = [str(order.number) for order in load.take(batch)]
    times, probes = Times(), Probes(site.instances[0].port)
    worker_after = 0.0

    def without_database() -> None:
        nonlocal worker_after
        if numbers:
            site.manage("confirm_orders", "--no-wait", *numbers)
        time.sleep(1)
        times.stopping = time.monotonic()
        site.take_database(how)
        times.gone = time.monotonic()
        time.sleep(seconds)
        times.starting = time.monotonic()
        site.bring_database(how)
        times.back = time.monotonic()
        worker_after = _worker_takes_a_job(site) - times.back
        wait_for(lambda: probes.ready() == 200, within=PATIENCE)
        time.sleep(seconds / 4)  # from here on all must be as it was

    with probes.looking():
        load.during(without_database, rate=rate, most=seconds + 2 * PATIENCE)
    found = _judge_calls(load.calls, times, BOUND[how]) + _judge_probes(probes, times)
    say(f"the worker took up a job {worker_after:.1f} s after PostgreSQL was back")
    say(f"creations that got no 201 and are repeated with their keys: {len(load.lost)}")
    load.repeat_lost()
    return found


def _judge_calls(calls: list[Call], times: Times, bound: float) -> list[str]:
    """Say how the calls went; return those that were neither good nor a clean 503."""
    away = [call for call in calls if times.without(call)]
    refused = [call for call in calls if call.refused]
    last = max((call.due + call.seconds for call in refused), default=0.0)
    say(f"before: {summary([c for c in calls if c.due < times.stopping])}")
    say(f"for {times.starting - times.gone:.1f} s without PostgreSQL: {summary(away)}")
    say(f"after it was back: {summary([c for c in calls if c.due >= times.back])}")
    say(f"clean 503s, in all: {len(refused)}")
    say(f"the web answered the last 503 {last - times.back:.1f} s after PostgreSQL was back")
    found = [f"{c.kind}: {c.fault or c.status}" for c in calls if not (c.good or c.refused)]
    found += [f"{call.kind} without a database: {call.status}" for call in away if call.good]
    found += [f"{c.kind} took {c.seconds:.1f} s" for c in away if c.seconds > bound]
    if not away:
        found.append("nobody called while PostgreSQL was away")
    return found


def _judge_probes(probes: Probes, times: Times) -> list[str]:
    """Say when it was ready again; return what the probes should not have been told."""
    away = [each for each in probes.seen if times.gone <= each[0] <= times.starting - 1]
    again = next((at for at, _, ready in probes.seen if at >= times.starting and ready == 200), 0.0)
    say(f"/health/ready was 200 again {again - times.back:.1f} s after PostgreSQL was back")
    found = [f"/health was {alive}" for _, alive, _ in probes.seen if alive != 200]
    found += [
        f"/health/ready was {ready} without a database" for _, _, ready in away if ready != 503
    ]
    return found if away else [*found, "nobody looked while PostgreSQL was away"]


def _worker_takes_a_job(site: Site) -> float:
    """Have a job wait, and wait until the worker has taken it; return when that was."""
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        job = connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name)"
            " VALUES ('default', 'orders.settle') RETURNING id"
        ).fetchone()
        waits = "SELECT FROM procrastinate_jobs WHERE id = %s AND status = 'todo'"
        wait_for(lambda: connection.execute(waits, job).fetchone() is None, within=PATIENCE)
    return time.monotonic()


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
