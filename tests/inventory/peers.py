"""Peers on a socket that answer whatever bytes a test tells them to."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable

import pytest

from inventory_client import Adjusted, InventoryClient, InventoryError

Behaviour = Callable[[socket.socket], None]


class ScriptedServer:
    """Accepts connections, hands each to a behaviour, and keeps what came in."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.connections = 0
        self._behaviour = behaviour
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        # The client may have had enough, or keep its connection for longer than we care.
        with connection, contextlib.suppress(ConnectionError, TimeoutError):
            self._behaviour(connection)


def reset(connection: socket.socket) -> None:
    """Close with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def answer(body: bytes, *, status: str = "200 OK", headers: bytes = b"") -> bytes:
    """Return the bytes of an HTTP answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n".encode()
    return head + headers + b"\r\n" + body


ITEM = b'{"product_id":"10","quantity":8}'
OK = answer(ITEM)
APPLIED = Adjusted("10", -2, 8, None)


def deduct(client: InventoryClient, send_before: float | None = None) -> Adjusted:
    return client.adjust(
        "10", -2, reason="r", idempotency_key="m", send_before=send_before, request_id="q"
    )


def outcome(call: Callable[[], object]) -> tuple[type[InventoryError], str]:
    with pytest.raises(InventoryError) as failure:
        call()
    return type(failure.value), failure.value.code


def answers_once(data: bytes) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(data)

    return behave


def answers_always(received: list[bytes] | None = None) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        while request := connection.recv(65536):
            if received is not None:
                received.append(request)
            connection.sendall(OK)

    return behave


def drips(head: bytes, drop: bytes, ended: list[str]) -> Behaviour:
    """Send a head, then one drop each 50 ms for as long as anybody listens."""

    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(head)
        try:
            while True:
                connection.sendall(drop)
                time.sleep(0.05)
        except OSError as exc:
            ended.append(type(exc).__name__)

    return behave


def waits(ended: list[str]) -> Behaviour:
    """Read the request and answer nothing."""

    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        try:
            connection.recv(65536)
        except OSError as exc:
            ended.append(type(exc).__name__)

    return behave


Serve = Callable[[Behaviour], ScriptedServer]
