"""Clients that send slowly, and how they are treated."""

import contextlib
import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import Thread
from typing import Any

from tests.api.calls import ORDERS, body

HOST = "127.0.0.1"
ORDER = json.dumps(body()).encode()
HEAD = f"POST {ORDERS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()
SIZED = HEAD + f"Content-Length: {len(ORDER) + 1000}\r\n\r\n".encode() + ORDER
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + f"{len(ORDER):x}\r\n".encode() + ORDER

# What a client sends at once, and what it then goes on with, a byte at a time. The bodies are
# whole orders but for the blanks that are still to come.
KINDS: dict[str, tuple[bytes, bytes]] = {
    "silent": (b"", b""),
    "head": (HEAD, b"X-Slow: " + b"x" * 1000),
    "empty lines": (b"", b"\r\n" * 500),
    "body": (SIZED, b" " * 999),
    "chunks": (CHUNKED, b"\r\n" + b"1\r\n \r\n" * 200),
    "form": (
        b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n",
        b"x" * 4000,
    ),
    "huge form": (
        b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n",
        b"x" * 4000,
    ),
}


@dataclass
class Slow:
    """One such client: what it was answered, and after how many seconds it was closed."""

    kind: str
    answer: bytes = b""
    seconds: float | None = None

    @property
    def status(self) -> int | None:
        """The status of the answer; None without one."""
        return int(self.answer.split()[1]) if self.answer else None


def trickle(port: int, *kinds: str, pace: float = 1.0) -> tuple[list[Slow], Callable[[], None]]:
    """Start clients that send a byte every ``pace`` seconds; the function waits for their end."""
    clients = [Slow(kind) for kind in kinds]
    threads = [Thread(target=_send, args=(port, client, pace), daemon=True) for client in clients]
    for thread in threads:
        thread.start()

    def join() -> None:
        for thread in threads:
            thread.join(timeout=60)
            assert not thread.is_alive(), "a slow client is still connected"

    return clients, join


def _send(port: int, client: Slow, pace: float) -> None:
    began, rest = KINDS[client.kind]
    started = time.monotonic()
    with socket.create_connection((HOST, port), timeout=pace) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(began)
            for at in range(10_000):
                try:
                    data = connection.recv(65536)
                except TimeoutError:
                    connection.sendall(rest[at : at + 1])
                    continue
                if not data:
                    break
                client.answer += data
        client.seconds = time.monotonic() - started


def ask(port: int, path: str = "/health", **options: Any) -> tuple[int, float]:
    """Return the status of a call, and how many seconds it took."""
    started = time.monotonic()
    connection = HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request(options.pop("method", "GET"), path, **options)
        status = connection.getresponse().status
    finally:
        connection.close()
    return status, time.monotonic() - started


def read_all(connection: socket.socket) -> bytes:
    """Return what comes until the other side ends."""
    received = b""
    while data := connection.recv(65536):
        received += data
    return received
