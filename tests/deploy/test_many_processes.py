"""Eight processes behind one port: they count as one, and make one order of one key."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import throttling
from orders.models import Order, RateCount
from orders.throttling import counting
from orderservice.rates import Limits, Rate, Scope
from tests.api.calls import ORDERS, body
from tests.deploy.serving import Served, served
from tests.deploy.slow import HOST
from tests.processes import wait_for

pytestmark = pytest.mark.usefixtures("committed_db")

PROCESSES = 8
RATE = 20
TAKES = 10  # connections of one process, so that a burst needs most of the processes
LISTENING = "0A"  # of a socket in /proc/net/tcp, see proc(5)
HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: HTTPMessage
    body: bytes


def unaccepted(port: int) -> int:
    """Return how many connections to the port no process has taken yet, as Linux tells."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    [queue] = [row[4] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == LISTENING]
    return int(queue.split(":")[1], 16)


def at_once(server: Served, times: int, **headers: str) -> list[Answer]:
    """Send the same creation from as many connections, all accepted before the first is used."""
    barrier = Barrier(times, lambda: wait_for(lambda: unaccepted(server.port) == 0, within=60))

    def send(_: int) -> Answer:
        client = HTTPConnection(HOST, server.port, timeout=60)
        client.connect()
        barrier.wait(60)
        client.request("POST", ORDERS, json.dumps(body()), HEADERS | headers)
        response = client.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        client.close()
        return answer

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(send, range(times)))


def test_burst_on_eight_processes_gets_exactly_the_rate(tmp_path: Path, sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 1000})
    access = tmp_path / "access"
    with served(
        tmp_path / "log",
        WEB_CONCURRENCY=str(PROCESSES),
        WEB_THREADS="20",  # all but two of them may ask the inventory
        API_THROTTLES=f"orders={RATE}/hour,open=off",
        INVENTORY_SERVICE_URL=sandbox.url,
        INVENTORY_CHECK_TIMEOUT_SECONDS="30",  # the processes have just started
        GUNICORN_CMD_ARGS=f"--access-logfile {access} --access-logformat %(p)s --preload"
        f" --worker-connections {TAKES}",
    ) as server:
        answers = at_once(server, 3 * RATE)

        assert Counter(answer.status for answer in answers) == {201: RATE, 429: 2 * RATE}
        assert Order.objects.count() == RATE
        for answer in answers:
            assert (answer.status == 429) == (0 < int(answer.headers["Retry-After"] or 0) <= 3600)
        left = [answer.headers["RateLimit"].split(";")[1] for answer in answers]
        assert sorted(left) == sorted([f"r={n}" for n in range(RATE)] + ["r=0"] * 2 * RATE)

        RateCount.objects.all().delete()
        twins = at_once(server, 16, **{"Idempotency-Key": "once"})

        assert {answer.status for answer in twins} == {201}
        replayed = Counter(answer.headers["Idempotency-Replayed"] for answer in twins)
        assert replayed == {None: 1, "true": 15}
        assert all(json.loads(each.body) == json.loads(twins[0].body) for each in twins)
        assert Order.objects.count() == RATE + 1
    assert len(set(access.read_text().split())) >= 3 * RATE / TAKES  # no fewer could take part


@pytest.mark.parametrize("how", ["as we do", "read, then write"])
def test_count_of_requests_at_once_is_right_and_of_a_cache_s_kind_is_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    settings.API_THROTTLES = Limits({Scope.ORDERS: Rate(RATE, 60)}, None)
    if how != "as we do":
        monkeypatch.setattr(counting, "_count", _read_then_write)
    barrier = Barrier(PROCESSES)

    def take(_: int) -> list[bool]:
        barrier.wait(30)
        try:
            taken = [throttling.take(Scope.ORDERS, "x") for _ in range(10)]
        finally:
            connection.close()
        return [each is not None and each.allowed for each in taken]

    with ThreadPoolExecutor(PROCESSES) as pool:
        allowed = sum(map(sum, pool.map(take, range(PROCESSES))))
    assert (allowed == RATE) is (how == "as we do")


def _read_then_write(key: str, seconds: int) -> tuple[int, float]:
    hits = sum(RateCount.objects.filter(key=key).values_list("hits", flat=True)) + 1
    RateCount.objects.update_or_create(key=key, defaults={"hits": hits, "since": timezone.now()})
    return hits, seconds
