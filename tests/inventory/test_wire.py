"""The client against peers that reset, stall, drip, cut and overflow."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest
from urllib3.util.connection import create_connection

from inventory_client import (
    InventoryClient,
    NotYet,
    OutcomeUnknown,
    Unavailable,
    boottime,
)
from inventory_client import connection as connection_module
from tests.inventory.peers import (
    APPLIED,
    ITEM,
    OK,
    Behaviour,
    Serve,
    answer,
    answers_always,
    answers_once,
    deduct,
    drips,
    outcome,
    reset,
    waits,
)

# Nothing was sent.


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize(
    "url",
    [f"http://127.0.0.1:{closed_port()}", "http://inventory.invalid", "http://[::1]:1"],
    ids=["refused", "no such host", "no such port"],  # the port is another in each process
)
def test_adjust_when_no_connection_comes_about_is_not_yet(url: str) -> None:
    client = InventoryClient(url)

    assert outcome(lambda: deduct(client)) == (NotYet, "connect_failed")
    assert outcome(lambda: client.read("10")) == (Unavailable, "connect_failed")


def test_adjust_when_tls_fails_is_not_yet(serve: Serve) -> None:
    server = serve(answers_once(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    client = InventoryClient(server.url.replace("http:", "https:"))

    assert outcome(lambda: deduct(client)) == (NotYet, "connect_failed")


def test_adjust_when_the_tls_handshake_stalls_is_not_yet_within_the_connect_time(
    serve: Serve,
) -> None:
    server = serve(lambda connection: time.sleep(1))
    client = InventoryClient(server.url.replace("http:", "https:"), connect_timeout=0.2)
    started = time.monotonic()

    assert outcome(lambda: deduct(client)) == (NotYet, "connect_failed")
    assert time.monotonic() - started < 0.6


def test_adjust_whose_guard_passes_while_connecting_sends_nothing(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[bytes] = []
    closed = threading.Event()

    def behave(connection: socket.socket) -> None:
        received.append(connection.recv(65536))
        closed.set()

    server = serve(behave)
    connect = create_connection

    def connect_slowly(*args: Any, **kwargs: Any) -> socket.socket:
        connected = connect(*args, **kwargs)
        time.sleep(0.2)
        return connected

    monkeypatch.setattr(connection_module, "create_connection", connect_slowly)
    client = InventoryClient(server.url)

    assert outcome(lambda: deduct(client, boottime() + 0.1)) == (NotYet, "send_guard")
    assert closed.wait(5)
    assert received == [b""]


def test_adjust_before_its_guard_is_sent(serve: Serve) -> None:
    client = InventoryClient(serve(answers_always()).url)

    assert deduct(client, boottime() + 5) == APPLIED


def test_adjust_on_a_kept_connection_checks_the_guard_too(serve: Serve) -> None:
    received: list[bytes] = []
    client = InventoryClient(serve(answers_always(received)).url)
    deduct(client)

    assert outcome(lambda: deduct(client, boottime())) == (NotYet, "send_guard")
    assert len(received) == 1


# Something was sent.


def test_adjust_leaves_in_one_write_with_its_body(serve: Serve) -> None:
    received: list[bytes] = []
    client = InventoryClient(f"{serve(answers_always(received)).url}/api/v1")
    deduct(client)

    head, body = received[0].split(b"\r\n\r\n")

    assert head.split(b"\r\n")[0] == b"POST /api/v1/inventory/items/10/adjust HTTP/1.1"
    assert body == b'{"quantity": -2, "reason": "r"}'


def resets_unread(connection: socket.socket) -> None:
    connection.recv(1, socket.MSG_PEEK)  # or the reset could come before anything was sent
    reset(connection)


def resets_after_reading(connection: socket.socket) -> None:
    connection.recv(65536)
    reset(connection)


def closes_after_reading(connection: socket.socket) -> None:
    connection.recv(65536)


CUT = {
    "reset before it read": resets_unread,
    "reset instead of an answer": resets_after_reading,
    "close instead of an answer": closes_after_reading,
    "cut in the status line": answers_once(b"HTTP/1.1 20"),
    "cut in the body": answers_once(OK[:-1]),
    "cut in a chunk": answers_once(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n" + ITEM[:-1]
    ),
    "not HTTP": answers_once(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "cut in the body of a 404": answers_once(answer(b"{}", status="404 Not Found")[:-1]),
}


@pytest.mark.parametrize("behaviour", CUT.values(), ids=CUT.keys())
def test_adjust_without_a_whole_answer_is_unknown_and_not_repeated(
    serve: Serve, behaviour: Behaviour
) -> None:
    server = serve(behaviour)
    client = InventoryClient(server.url)

    assert outcome(lambda: deduct(client)) == (OutcomeUnknown, "connection_lost")
    assert server.connections == 1
    assert outcome(lambda: client.read("10")) == (Unavailable, "connection_lost")
    assert server.connections == 2


def test_adjust_with_an_answer_cut_in_its_headers_is_unknown(serve: Serve) -> None:
    client = InventoryClient(serve(answers_once(b"HTTP/1.1 200 OK\r\nContent-Le")).url)

    assert outcome(lambda: deduct(client)) == (OutcomeUnknown, "bad_answer")


def test_adjust_reset_on_a_kept_connection_is_unknown_and_not_repeated(serve: Serve) -> None:
    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(OK)
        connection.recv(65536)
        reset(connection)

    server = serve(behave)
    client = InventoryClient(server.url)
    deduct(client)

    assert outcome(lambda: deduct(client)) == (OutcomeUnknown, "connection_lost")
    assert server.connections == 1


FLOODS = {
    "a large body": answers_once(answer(b" " * 70_000 + ITEM)),
    "endless chunks": drips(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"4000\r\n" + b" " * 0x4000 + b"\r\n",
        [],
    ),
    "endless headers": drips(b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 20_000 + b"\r\n", []),
    "endless interim answers": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, []),
}


@pytest.mark.parametrize("behaviour", FLOODS.values(), ids=FLOODS.keys())
def test_adjust_answered_at_too_great_length_is_unknown(serve: Serve, behaviour: Behaviour) -> None:
    client = InventoryClient(serve(behaviour).url)

    assert outcome(lambda: deduct(client)) == (OutcomeUnknown, "oversized_answer")


def test_adjust_answered_with_64_kib_is_read(serve: Serve) -> None:
    body = ITEM + b" " * (65_536 - len(ITEM))
    client = InventoryClient(serve(answers_once(answer(body))).url)

    assert deduct(client) == APPLIED


DRIPS = {
    "in the status line": (b"", b"H"),
    "in the headers": (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "in the body": (b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", b" "),
    "in chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "not at all": (b"", b""),
}


@pytest.mark.parametrize(("head", "drop"), DRIPS.values(), ids=DRIPS.keys())
def test_adjust_answered_drop_by_drop_is_unknown_at_the_deadline_and_reset(
    serve: Serve, head: bytes, drop: bytes
) -> None:
    ended: list[str] = []
    server = serve(drips(head, drop, ended) if drop else waits(ended))
    client = InventoryClient(server.url, timeout=0.4)
    started = time.monotonic()

    assert outcome(lambda: deduct(client)) == (OutcomeUnknown, "timeout")
    took = time.monotonic() - started
    time.sleep(0.15)

    assert 0.39 < took < 0.8
    assert ended[0] in ("ConnectionResetError", "BrokenPipeError")


def test_read_has_the_deadline_of_a_check(serve: Serve) -> None:
    client = InventoryClient(serve(waits([])).url, check_timeout=0.2, timeout=5)
    started = time.monotonic()

    assert outcome(lambda: client.read("10")) == (Unavailable, "timeout")
    assert time.monotonic() - started < 0.6
