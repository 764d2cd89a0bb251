"""Where calls go, which connections they use again, and TLS."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest

from inventory_client import (
    InventoryClient,
    NotYet,
    OutcomeUnknown,
    Rejected,
    boottime,
)
from inventory_client import connection as connection_module
from inventory_client.sandbox import Sandbox
from tests.inventory.peers import (
    APPLIED,
    OK,
    Behaviour,
    Serve,
    answer,
    answers_always,
    answers_once,
    deduct,
    drips,
    outcome,
)


@pytest.mark.parametrize("status", ["301 Moved Permanently", "303 See Other", "307 Temporary"])
@pytest.mark.parametrize("location", ["{other}/", "http://[", "ftp://elsewhere/"])
def test_adjust_redirected_stays_where_it_is(serve: Serve, status: str, location: str) -> None:
    other = serve(answers_always())
    header = f"Location: {location.format(other=other.url)}\r\n".encode()
    client = InventoryClient(serve(answers_once(answer(b"", status=status, headers=header))).url)

    assert outcome(lambda: deduct(client)) == (Rejected, "redirected")
    assert other.connections == 0


def test_adjust_under_proxy_variables_goes_straight(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(answers_always())
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    client = InventoryClient(serve(answers_always()).url)

    assert deduct(client) == APPLIED
    assert proxy.connections == 0


def test_adjust_soon_again_reuses_its_connection(serve: Serve) -> None:
    server = serve(answers_always())
    client = InventoryClient(server.url)

    assert [deduct(client) for _ in range(3)] == [APPLIED] * 3
    assert server.connections == 1


def test_adjust_after_an_idle_time_opens_a_new_connection(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(answers_always())
    client = InventoryClient(server.url)
    deduct(client)
    now = boottime()
    monkeypatch.setattr(connection_module, "boottime", lambda: now + 2.9)
    deduct(client)
    assert server.connections == 1
    monkeypatch.setattr(connection_module, "boottime", lambda: now + 6.0)
    deduct(client)
    assert server.connections == 2


def test_adjust_in_a_forked_child_opens_a_connection_of_its_own(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(answers_always())
    client = InventoryClient(server.url)
    deduct(client)
    parent = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: parent + 1)

    assert deduct(client) == APPLIED
    assert server.connections == 2


def test_adjust_after_a_timeout_never_reads_the_late_answer(serve: Serve) -> None:
    calls: list[int] = []

    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        calls.append(1)
        if len(calls) == 1:
            time.sleep(0.4)
            connection.sendall(answer(b'{"product_id":"10","quantity":999}'))
        connection.sendall(OK)

    client = InventoryClient(serve(behave).url, timeout=0.2)

    assert outcome(lambda: deduct(client)) == (OutcomeUnknown, "timeout")
    time.sleep(0.3)
    assert deduct(client) == APPLIED


def test_adjust_after_the_upstream_closed_an_idle_connection_is_applied(sandbox: Sandbox) -> None:
    client = InventoryClient(sandbox.url)
    assert deduct(client).quantity == 8
    time.sleep(5.2)

    assert deduct(client).quantity == 6


def test_adjust_from_many_threads_keeps_answers_apart(sandbox: Sandbox) -> None:
    sandbox.reset({str(number): 100 * number for number in range(1, 9)})
    client = InventoryClient(sandbox.url)
    found: dict[int, int] = {}

    def work(number: int) -> None:
        for _ in range(10):
            adjusted = client.adjust(str(number), -1, reason="r", idempotency_key="m")
        found[number] = adjusted.quantity

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == {number: 100 * number - 10 for number in range(1, 9)}


# TLS.


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, signed by itself, with its key in the same file."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    out = ["-keyout", str(path), "-out", f"{path}.crt"]
    try:
        subprocess.run([*command.split(), *names, *out], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("the openssl command is not installed")
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


def over_tls(certificate: Path, behaviour: Behaviour) -> Behaviour:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def behave(connection: socket.socket) -> None:
        try:
            wrapped = context.wrap_socket(connection, server_side=True)
        except OSError:
            return
        with wrapped:
            behaviour(wrapped)

    return behave


def test_adjust_over_tls_is_applied_and_keeps_its_connection(
    serve: Serve, certificate: Path
) -> None:
    server = serve(over_tls(certificate, answers_always()))
    client = InventoryClient(f"https://127.0.0.1:{server.port}", ca_file=str(certificate))

    assert [deduct(client), deduct(client)] == [APPLIED, APPLIED]
    assert server.connections == 1


def test_adjust_over_tls_with_a_stranger_is_not_yet(serve: Serve, certificate: Path) -> None:
    received: list[bytes] = []
    server = serve(over_tls(certificate, answers_always(received)))
    client = InventoryClient(f"https://127.0.0.1:{server.port}")

    assert outcome(lambda: deduct(client)) == (NotYet, "connect_failed")
    assert received == []


def test_adjust_over_tls_answered_drop_by_drop_is_unknown_at_the_deadline(
    serve: Serve, certificate: Path
) -> None:
    ended: list[str] = []
    server = serve(over_tls(certificate, drips(b"HTTP/1.1 200 OK\r\nX: ", b"x", ended)))
    url = f"https://127.0.0.1:{server.port}"
    client = InventoryClient(url, ca_file=str(certificate), timeout=0.4)
    started = time.monotonic()

    assert outcome(lambda: deduct(client)) == (OutcomeUnknown, "timeout")
    assert time.monotonic() - started < 0.8
