"""Rates that are counted in a real Redis, and what happens while it hangs or is gone."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from orders import throttling
from orders.models import RateCount
from orders.throttling import shared_memory
from orderservice.cache import PATIENCE, SharedCache
from orderservice.rates import Limits, Rate, Scope
from tests.processes import wait_for

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="there is no redis-server"),
]


@pytest.fixture
def redis(tmp_path: Path, settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A Redis of the test's own, which the settings point at."""
    path = tmp_path / "redis"
    process = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    settings.REDIS_URL = f"unix://{path}"
    settings.API_THROTTLES = Limits({Scope.ORDERS: Rate(20, 60)}, None)
    try:
        wait_for(path.exists)
        yield process
    finally:
        process.kill()
        process.wait()


def take(who: str = "x") -> tuple[int, float]:
    """Count once; return the hits, and how many seconds that took."""
    started = time.monotonic()
    taken = throttling.take(Scope.ORDERS, who)
    assert taken is not None
    return taken.hits, time.monotonic() - started


def test_requests_at_once_are_counted_in_redis_alone(redis: subprocess.Popen[bytes]) -> None:
    with ThreadPoolExecutor(8) as pool:
        hits = [each for each, _ in pool.map(lambda _: take(), range(60))]
    assert sorted(hits) == list(range(1, 61))
    assert not RateCount.objects.exists()
    counted = shared_memory.count("orders:x", 60)
    assert counted is not None
    assert (counted[0], 0 < counted[1] <= 60) == (61, True)


@pytest.mark.parametrize("fault", ["hangs", "is gone"])
def test_postgresql_counts_at_once_while_redis(redis: subprocess.Popen[bytes], fault: str) -> None:
    assert take()[0] == 1
    redis.send_signal(signal.SIGSTOP if fault == "hangs" else signal.SIGKILL)
    if fault == "is gone":
        redis.wait()

    hits, seconds = take()

    assert hits == 1  # PostgreSQL's first
    assert seconds < 0.4
    assert RateCount.objects.get().hits == 1
    assert take()[0] == 2


def test_redis_that_comes_back_counts_on(redis: subprocess.Popen[bytes]) -> None:
    assert [take()[0], take()[0]] == [1, 2]
    redis.send_signal(signal.SIGSTOP)
    assert take()[0] == 1
    redis.send_signal(signal.SIGCONT)
    wait_for(lambda: take()[0] >= 3, within=15)
    assert RateCount.objects.get().hits < 50


@pytest.mark.parametrize("fault", ["hangs", "is gone"])
def test_what_is_kept_is_shared_and_only_missed_while_redis(
    redis: subprocess.Popen[bytes], settings: Settings, fault: str
) -> None:
    one, other = (SharedCache(settings.REDIS_URL, {}) for _ in range(2))
    one.set("figures", {"PENDING": 3}, 60)
    assert other.get("figures") == {"PENDING": 3}
    redis.send_signal(signal.SIGSTOP if fault == "hangs" else signal.SIGKILL)
    if fault == "is gone":
        redis.wait()

    started = time.monotonic()
    assert other.get("figures") is None
    assert other.get("figures", default=7) == 7
    one.set("figures", {"PENDING": 4}, 60)
    one.delete("figures")
    assert time.monotonic() - started < 8 * PATIENCE
