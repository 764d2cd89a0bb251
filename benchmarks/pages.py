"""What the admin's pages cost; each request goes through all of Django, from its test client.

A time is the median of several. The CPU is that of this process and of its connection's server
process (without the parallel workers that a slow statement may take), which a busy machine changes
less than the time. A statement that takes 15 s is cut off, as it is in production.
"""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import TextIO

from django.core.management import call_command
from django.db import connection
from django.db.models import Max, Min
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.models import Order, User
from tests.chaos import report

REPEATS = 7
SLOW = 2.0  # seconds: what takes longer is asked for once more, and that is it
UNSETTLED = 20
LIST = "orders/order/"


@dataclass(frozen=True, slots=True)
class Figures:
    """What a page costs: statements, and milliseconds of time and of CPU."""

    statements: int
    time: float
    cpu: float
    cut: bool

    def __str__(self) -> str:
        if self.cut:
            return f"– | cut off after {self.time / 1000:.0f} s | –"
        return f"{self.statements} | {self.time:,.0f} | {self.cpu:,.0f}"


def fill(orders: int) -> None:
    """Make it a shop of so many orders, unless it is one already."""
    call_command("migrate", verbosity=0)
    if Order.objects.count() == orders + 2 * UNSETTLED:
        return
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE orders_order CASCADE")
    call_command("seed_demo", orders=orders, unsettled=UNSETTLED, yes=True)


def compare(out: TextIO) -> None:
    """Measure every page in our admin and in the control, and write a line for each."""
    user, _ = User.objects.get_or_create(username="benchmark", is_superuser=True, is_staff=True)
    client = Client(raise_request_exception=False)
    client.force_login(user)
    out.write(
        f"commit {report.commit()}, {Order.objects.count():,} orders, {os.cpu_count()} cores,"
        f" load {os.getloadavg()[0]:.1f}; the median of {REPEATS}, in ms\n"
        "| page | statements | time | CPU | control: statements | time | CPU |\n"
        "|---|--:|--:|--:|--:|--:|--:|\n"
    )
    for name, ours, controls in _pages():
        figures = [_measure(client, path) for path in (f"/admin/{ours}", f"/control/{controls}")]
        out.write(f"| {name} | {figures[0]} | {figures[1]} |\n")
        out.flush()


def _pages() -> list[tuple[str, str, str]]:
    """Return the pages: their names, and where they are in our admin and in the control."""
    ends = Order.objects.aggregate(first=Min("number"), last=Max("number"), day=Min("created_at"))
    middle = Order.objects.get(number=(ends["first"] + ends["last"]) // 2)
    day = ends["day"] + timedelta(days=90)
    week = f"created_at__gte={day:%Y-%m-%d}&created_at__lt={day + timedelta(days=7):%Y-%m-%d}"
    both = (
        ("first page", ""),
        ("filter: status", "?status__exact=CONFIRMED"),
        ("filter: status, total", "?status__exact=COMPLETED&total__gte=2000"),
        ("filter: a week, long ago", f"?{week}"),
        ("search: a common name", "?q=smith"),
        ("search: a rare e-mail", f"?q={middle.email}"),
        ("search: a number", f"?q={middle.number}"),
        ("search: a product", "?q=RUG-0005"),
        ("search: nothing", "?q=xqzzy"),
        ("search: a common name, pending", "?q=smith&status__exact=PENDING"),
        ("search: nothing, a week long ago", f"?q=xqzzy&{week}"),
    )
    last = (ends["last"] - ends["first"]) // 50 + 1
    return [
        *((name, LIST + query, LIST + query) for name, query in both),
        ("jump: half way", f"{LIST}?number={middle.number}", f"{LIST}?p={last // 2}"),
        ("jump: the last page", f"{LIST}?at=oldest", f"{LIST}?p={last}"),
        ("order page", f"{LIST}{middle.number}/change/", f"{LIST}{middle.number}/change/"),
        ("home", "", ""),
    ]


def _measure(client: Client, path: str) -> Figures:
    """Ask for a page until its figures are firm."""
    counts = []
    for _ in range(2):  # once a minute a request also writes down that the session is in use
        with CaptureQueriesContext(connection) as queries:
            first, _, cut = _ask(client, path)
        counts.append(len(queries))  # at once: the next request forgets them
        if first > SLOW:
            break
    asked = [_ask(client, path) for _ in range(1 if first > SLOW else REPEATS)]
    times, cpus, cuts = zip(*asked, strict=True)
    return Figures(min(counts), 1000 * median(times), 1000 * median(cpus), cut or any(cuts))


def _ask(client: Client, path: str) -> tuple[float, float, bool]:
    """Return the seconds that a page took, those of CPU, and whether the database cut it off."""
    begun, cpu = time.perf_counter(), _cpu()
    status = client.get(path).status_code
    if status not in (200, 500, 503):
        raise RuntimeError(f"{status} {path}")
    return time.perf_counter() - begun, _cpu() - cpu, status != 200


def _cpu() -> float:
    """Return the seconds of CPU that this process and the server's one for it have had."""
    used = time.process_time()
    with suppress(OSError, AttributeError):  # no connection, or a system without /proc
        backend = connection.connection.info.backend_pid
        used += int(Path(f"/proc/{backend}/schedstat").read_text().split()[0]) / 1e9
    return used
