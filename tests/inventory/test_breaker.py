"""The breaker alone on a clock of its own, and inside the client."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from inventory_client import InventoryClient, InventoryError, NotYet, Unavailable, boottime
from inventory_client import breaker as breaker_module
from inventory_client.breaker import Breaker
from inventory_client.sandbox import Sandbox


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(breaker_module, "boottime", clock)
    return clock


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(failures=2, open_seconds=5)
    breaker.failed()
    assert breaker.wait() == 0.0
    breaker.failed()
    return breaker


def test_wait_after_the_last_failure_tells_the_time_to_the_probe(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 2

    assert breaker.wait() == 3.0


def test_door_that_nobody_knocks_at_is_told_to_be_shut_for_five_minutes_alone(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 299
    assert breaker.is_open
    clock.now += 1
    assert not breaker.is_open
    assert breaker.wait() == 0.0
    assert breaker.wait() == 5.0  # all the same: one probe at a time, until one is answered
    breaker.failed()
    assert breaker.is_open
    breaker.succeeded()
    assert not breaker.is_open


def test_wait_after_a_success_between_failures_lets_calls_out(clock: Clock) -> None:
    breaker = Breaker(failures=2, open_seconds=5)
    breaker.failed()
    breaker.succeeded()
    breaker.failed()

    assert breaker.wait() == 0.0


def test_wait_when_the_time_is_over_lets_one_thread_probe(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 5
    start = threading.Barrier(16)

    def ask(_: int) -> float:
        start.wait()
        return breaker.wait()

    with ThreadPoolExecutor(16) as pool:
        waits = sorted(pool.map(ask, range(16)))

    assert waits == [0.0] + [5.0] * 15


def test_wait_after_a_probe_that_never_reported_lets_another_out(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 5
    assert breaker.wait() == 0.0
    clock.now += 5

    assert breaker.wait() == 0.0


def test_wait_after_a_probe_that_failed_is_the_whole_time_again(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 5
    assert breaker.wait() == 0.0
    clock.now += 1
    breaker.failed()

    assert breaker.wait() == 5.0


def test_wait_after_a_probe_that_succeeded_lets_all_out(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 5
    assert breaker.wait() == 0.0
    breaker.succeeded()

    assert [breaker.wait(), breaker.wait()] == [0.0, 0.0]


def failures(client: InventoryClient, product_id: str = "10", delta: int = -1) -> InventoryError:
    with pytest.raises(InventoryError) as failure:
        client.adjust(product_id, delta, reason="r", idempotency_key="m")
    return failure.value


def test_call_after_five_failures_is_refused_at_once_and_recovers(
    sandbox: Sandbox, clock: Clock
) -> None:
    client = InventoryClient(sandbox.url)
    sandbox.switches.update({"down": "503"})
    codes = [failures(client).code for _ in range(5)]
    sandbox.switches.update({"down": ""})

    refused = failures(client)
    with pytest.raises(Unavailable) as unavailable:
        client.read("10")
    clock.now += 5

    assert codes == ["server_error"] * 5
    assert (type(refused), refused.code, refused.retry_after) == (NotYet, "breaker_open", 5.0)
    assert (unavailable.value.code, unavailable.value.retry_after) == ("breaker_open", 5.0)
    assert client.read("10").quantity == 10
    assert client.adjust("10", -1, reason="r", idempotency_key="m").quantity == 9


def test_call_after_many_refusals_is_still_made(sandbox: Sandbox) -> None:
    client = InventoryClient(sandbox.url)

    codes = {failures(client, delta=-100).code for _ in range(6)}
    codes |= {failures(client, "99").code for _ in range(6)}

    assert codes == {"insufficient_stock", "unknown_product"}
    assert client.read("10").quantity == 10


def test_call_after_passed_guards_counts_them_neither_way(sandbox: Sandbox) -> None:
    client = InventoryClient(sandbox.url, breaker_failures=2)
    sandbox.faults.script("500_before", times=2)
    first = failures(client)
    with pytest.raises(NotYet) as guarded:
        client.adjust("10", -1, reason="r", idempotency_key="m", send_before=boottime())
    second = failures(client)

    assert (first.code, guarded.value.code, second.code) == (
        "server_error",
        "send_guard",
        "server_error",
    )
    assert failures(client).code == "breaker_open"


def test_call_cut_short_by_its_caller_is_not_held_against_the_service(sandbox: Sandbox) -> None:
    client = InventoryClient(sandbox.url, breaker_failures=2)
    sandbox.faults.script("hang", operation="read", times=3)

    codes = []
    for _ in range(3):
        begun = boottime()
        with pytest.raises(Unavailable) as cut:
            client.read("10", within=0.1)
        codes.append(cut.value.code)
        assert boottime() - begun < 0.5
    with pytest.raises(Unavailable) as none_left:
        client.check({"10": 1}, within=-0.1)

    assert codes == ["out_of_time"] * 3
    assert none_left.value.code == "out_of_time"
    assert client.read("10", within=60).quantity == 10


def test_call_with_more_time_than_the_service_is_given_ends_with_the_service_s(
    sandbox: Sandbox,
) -> None:
    client = InventoryClient(sandbox.url, check_timeout=0.1)
    sandbox.faults.script("hang", operation="read")

    with pytest.raises(Unavailable) as late:
        client.read("10", within=60)

    assert late.value.code == "timeout"
