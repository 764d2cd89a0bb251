"""The catalogue's client on sockets: how much at once, for how long, and what it blames."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from decimal import Decimal

import pytest

from inventory_client import CatalogueClient, CatalogueUnavailable
from inventory_client import breaker as breaker_module
from inventory_client.sandbox import Sandbox
from tests.inventory.peers import (
    Behaviour,
    Serve,
    answer,
    answers_always,
    answers_once,
    drips,
    reset,
    waits,
)
from tests.inventory.sandboxes import control

MANY = {str(number): f"{number}.50" for number in range(1, 101)}


@pytest.fixture
def priced(sandbox: Sandbox) -> Sandbox:
    """A sandbox that knows the prices of 100 products."""
    sandbox.store.set_prices(MANY)
    return sandbox


def refusal(client: CatalogueClient, *product_ids: str) -> str:
    with pytest.raises(CatalogueUnavailable) as caught:
        client.prices(product_ids or ["10"])
    return caught.value.code


def took(call: Callable[[], object]) -> float:
    started = time.monotonic()
    call()
    return time.monotonic() - started


def prices_of(requested: bytes) -> bytes:
    """Return the true answer to a request that a peer has received."""
    product_id = requested.split(b" ")[1].rpartition(b"/")[2]
    return answer(b'{"id": "%s", "price": "1.00"}' % product_id)


class Crowd:
    """A peer that answers after a while, and counts how many wait for it at once."""

    def __init__(self, seconds: float) -> None:
        self.most = 0
        self._seconds = seconds
        self._now = 0
        self._lock = threading.Lock()

    def __call__(self, connection: socket.socket) -> None:
        while request := connection.recv(65536):
            with self._lock:
                self._now += 1
                self.most = max(self.most, self._now)
            time.sleep(self._seconds)
            with self._lock:
                self._now -= 1
            connection.sendall(prices_of(request))


# How much at once, and for how long.


def test_prices_of_100_products_are_asked_8_at_once(serve: Serve) -> None:
    crowd = Crowd(0.02)
    server = serve(crowd)
    client = CatalogueClient(server.url)

    found = client.prices(MANY)

    assert found == dict.fromkeys(MANY, Decimal(1))
    assert crowd.most == server.connections == 8


def test_prices_that_many_ask_for_are_asked_8_at_once_in_all(serve: Serve) -> None:
    crowd = Crowd(0.02)
    client = CatalogueClient(serve(crowd).url)
    askers = [threading.Thread(target=client.prices, args=[list(MANY)[:20]]) for _ in range(6)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert crowd.most == 8


def test_prices_of_a_short_order_do_not_wait_for_all_of_a_long_one(serve: Serve) -> None:
    client = CatalogueClient(serve(Crowd(0.05)).url)
    long_one = threading.Thread(target=client.prices, args=[MANY])
    long_one.start()
    time.sleep(0.1)

    assert took(lambda: client.prices(["10"])) < 0.4  # of the 0.65 s that the long one takes
    assert long_one.is_alive()
    long_one.join()


def test_prices_of_100_products_of_a_slow_catalogue_end_at_the_deadline(serve: Serve) -> None:
    client = CatalogueClient(serve(Crowd(0.1)).url, timeout=0.5)
    assert 0.45 < took(lambda: refusal(client, *MANY)) < 0.9


def test_client_that_is_asked_nothing_starts_no_thread(serve: Serve) -> None:
    server = serve(answers_always())
    before = threading.active_count()
    CatalogueClient(server.url)
    assert threading.active_count() <= before
    assert server.connections == 0


def test_prices_in_a_forked_child_have_threads_and_connections_of_their_own(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(Crowd(0))
    client = CatalogueClient(server.url)
    client.prices(["10"])
    threads = client._threads
    parent = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: parent + 1)

    assert client.prices(["10"]) == {"10": Decimal(1)}
    assert client._threads is not threads
    assert server.connections == 2


# What goes wrong.


def resets(connection: socket.socket) -> None:
    connection.recv(65536)
    reset(connection)


BROKEN: dict[str, tuple[Behaviour, str]] = {
    "reset": (resets, "connection_lost"),
    "cut": (answers_once(answer(b'{"id": "10"')[:-1]), "connection_lost"),
    "not HTTP": (answers_once(b"SSH-2.0-OpenSSH_9.2\r\n"), "connection_lost"),
    "a large body": (answers_once(answer(b" " * 70_000)), "oversized_answer"),
    "endless headers": (
        drips(b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 20_000 + b"\r\n", []),
        "oversized_answer",
    ),
    "no answer": (waits([]), "timeout"),
    "drop by drop": (
        drips(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", b" ", []),
        "timeout",
    ),
}


@pytest.mark.parametrize(("behaviour", "code"), BROKEN.values(), ids=BROKEN.keys())
def test_prices_without_a_whole_answer_are_unavailable_within_the_deadline(
    serve: Serve, behaviour: Behaviour, code: str
) -> None:
    client = CatalogueClient(serve(behaviour).url, timeout=0.4)
    started = time.monotonic()
    assert refusal(client) == code
    assert time.monotonic() - started < 0.8


@pytest.mark.parametrize("url", ["http://catalogue.invalid", "http://[::1]:1"])
def test_prices_when_no_connection_comes_about_are_unavailable(url: str) -> None:
    assert refusal(CatalogueClient(url), "10", "11", "12") == "connect_failed"


@pytest.mark.parametrize("status", ["301 Moved Permanently", "307 Temporary", "302 Found"])
def test_prices_redirected_stay_where_they_are(serve: Serve, status: str) -> None:
    other = serve(Crowd(0))
    header = f"Location: {other.url}/products/10\r\n".encode()
    client = CatalogueClient(serve(answers_once(answer(b"", status=status, headers=header))).url)
    assert refusal(client) == "redirected"
    assert other.connections == 0


def test_prices_after_the_first_failure_ask_no_further(serve: Serve) -> None:
    received: list[bytes] = []

    def fails(connection: socket.socket) -> None:
        while request := connection.recv(65536):
            received.append(request)
            connection.sendall(answer(b"", status="500 Internal Server Error"))

    assert refusal(CatalogueClient(serve(fails).url), *MANY) == "server_error"
    time.sleep(0.1)
    assert len(received) <= 16


# The breaker.


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_prices_after_five_failures_are_refused_at_once_and_recover(
    priced: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(breaker_module, "boottime", clock)
    client = CatalogueClient(priced.catalogue_url)
    priced.switches.update({"down": "503"})
    codes = [refusal(client, *MANY) for _ in range(5)]
    priced.switches.update({"down": ""})

    with pytest.raises(CatalogueUnavailable) as refused:
        client.prices(["10"])
    clock.now += 5

    assert codes == ["server_error"] * 5
    assert (refused.value.code, refused.value.retry_after) == ("breaker_open", 5.0)
    assert client.prices(["10"]) == {"10": Decimal("10.50")}


def test_prices_of_orders_that_are_too_long_for_the_time_open_no_breaker(serve: Serve) -> None:
    client = CatalogueClient(serve(Crowd(0.1)).url, timeout=0.25, breaker_failures=2)
    assert [refusal(client, *MANY) for _ in range(3)] == ["out_of_time"] * 3
    assert client.prices(["10"]) == {"10": Decimal(1)}


def test_prices_that_waited_in_vain_for_a_thread_open_no_breaker(serve: Serve) -> None:
    client = CatalogueClient(serve(Crowd(0.5)).url, timeout=0.6, at_once=1, breaker_failures=1)
    first = threading.Thread(target=client.prices, args=[["1"]])
    first.start()
    time.sleep(0.1)
    client._timeout = 0.2
    assert refusal(client) == "out_of_time"
    first.join()
    client._timeout = 2
    assert client.prices(["10"]) == {"10": Decimal(1)}


def test_prices_of_a_catalogue_that_answers_nothing_open_the_breaker(serve: Serve) -> None:
    client = CatalogueClient(serve(waits([])).url, timeout=0.2, breaker_failures=2)
    assert [refusal(client, *MANY) for _ in range(3)] == ["timeout", "timeout", "breaker_open"]


# The sandbox.


def test_sandbox_answers_with_the_price_as_it_was_set(priced: Sandbox) -> None:
    status, found = control(
        priced.root_url, "PUT", "/_sandbox/prices", {"10": 7, "11": 8.25, "12": None}
    )
    assert (status, found["10"], found["11"], found["13"]) == (200, 7, 8.25, "13.50")
    assert control(priced.root_url, "GET", "/_sandbox/prices") == (200, found)
    assert control(priced.root_url, "GET", "/products/10") == (200, {"id": "10", "price": 7})
    assert CatalogueClient(priced.catalogue_url).prices(["10", "11", "12", "13", "x y"]) == {
        "10": Decimal(7),
        "11": Decimal("8.25"),
        "12": None,
        "13": Decimal("13.50"),
        "x y": None,
    }
    assert priced.calls() == {"price": 6}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("500_before", "server_error"),
        ("reset_before", "connection_lost"),
        ("307", "redirected"),
        ("429", "throttled"),
        ("hang", "timeout"),
        ("slow_loris", "timeout"),
        ("truncated", "connection_lost"),
        ("malformed_json", "bad_answer"),
        ("wrong_product", "bad_answer"),
        ("oversized", "oversized_answer"),
    ],
)
def test_prices_under_each_fault_of_the_sandbox_are_unavailable(
    priced: Sandbox, fault: str, code: str
) -> None:
    priced.faults.script(fault, operation="price", product_id="11")
    client = CatalogueClient(priced.catalogue_url, timeout=0.5)
    assert client.prices(["10"]) == {"10": Decimal("10.50")}
    assert refusal(client, "11") == code
    assert client.prices(["11"]) == {"11": Decimal("11.50")}


def test_sandbox_reset_leaves_the_prices_that_are_asked_for(priced: Sandbox) -> None:
    control(priced.root_url, "POST", "/_sandbox/reset", {"stock": {}, "prices": {"1": "2.00"}})
    assert priced.store.prices() == {"1": "2.00"}
    control(priced.root_url, "POST", "/_sandbox/reset", {})
    assert priced.store.prices()["10"] == "50.00"
    assert control(priced.root_url, "POST", "/_sandbox/reset", {"prices": [1]})[0] == 400
