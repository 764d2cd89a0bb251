"""Connections under a total deadline, with a proof of whether anything was sent.

urllib3 bounds each read but not their sum, hides whether a failed call had left, and keeps idle
connections for ever. The classes here add what is missing, and only that:

1. A request leaves in one write, right after the send guard was checked on an open connection.
2. Each socket operation gets the time that is left; when none is, the connection is reset.
3. A connection that idled, or that belongs to the parent of a fork, is not used again.
"""

from __future__ import annotations

import contextlib
import io
import os
import socket
import struct
from collections.abc import Iterator
from contextvars import ContextVar
from http.client import HTTPResponse
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from inventory_client.clock import boottime

MAX_BODY_BYTES = 64 * 1024
# Headers and chunk framing come on top of the body; without a cap they could go on until the end.
MAX_ANSWER_BYTES = MAX_BODY_BYTES + 32 * 1024
# The upstream closes a connection that idled for 5 s; a request that crosses its FIN is reset, and
# a reset after a write is an unknown outcome. So leave a margin.
MAX_IDLE_SECONDS = 3.0


class SendGuardPassed(Exception):
    """The moment to send was over before anything was sent."""


class AnswerTooLarge(Exception):
    """The answer is larger than any true one."""


class Exchange:
    """The limits of the exchange that this thread is in, and how far it came."""

    def __init__(self, *, timeout: float, connect_timeout: float, send_before: float | None):
        now = boottime()
        self._deadline = now + timeout
        self._connect_by = now + min(timeout, connect_timeout)
        self._send_before = send_before
        self._allowance = MAX_ANSWER_BYTES
        self.sent = False
        self.timed_out = False

    def left_to_connect(self) -> float:
        """Return the seconds left to connect; raises TimeoutError when there are none."""
        return _positive(self._connect_by - boottime())

    @contextlib.contextmanager
    def bounded(self, sock: socket.socket) -> Iterator[None]:
        """Bound one operation on ``sock`` by the time that is left; when it is over, reset."""
        try:
            sock.settimeout(_positive(self._deadline - boottime()))
            yield
        except TimeoutError:
            self.timed_out = True
            # With a linger of 0 the close that follows sends a reset: the other side learns at once
            # that nobody listens any more, and the port does not stay half closed.
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise

    def leave(self) -> None:
        """Pass the send guard: from here on the request may have been received."""
        if self._send_before is not None and boottime() >= self._send_before:
            raise SendGuardPassed("the moment to send has passed")
        self.sent = True

    def received(self, length: int) -> None:
        """Count bytes of the answer; raises when it is larger than any true one."""
        self._allowance -= length
        if self._allowance < 0:
            raise AnswerTooLarge("the answer is too large")


current_exchange: ContextVar[Exchange] = ContextVar("current_exchange")


class _BoundedReader(io.RawIOBase):
    """Reads a socket within an exchange's deadline, which a peer can't stretch byte by byte."""

    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        self._sock = sock
        self._exchange = exchange
        # The socket's own file keeps it open while the connection object has let go of it already.
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with self._exchange.bounded(self._sock):
            length = self._file.readinto(buffer) or 0
        self._exchange.received(length)
        return length

    def close(self) -> None:
        self._file.close()
        super().close()


class _BoundedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_BoundedReader(sock, current_exchange.get()))


class _Connection(HTTPConnection):
    response_class = _BoundedResponse

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._outbox: list[bytes] = []
        self.used_at = 0.0
        self.owner = os.getpid()

    def _new_conn(self) -> socket.socket:
        """Open a socket to the first address that answers, all of them within the connect time."""
        exchange = current_exchange.get()
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except OSError as exc:
            raise NameResolutionError(self.host, self, exc) from exc  # type: ignore[arg-type]
        last: OSError | None = None
        for *_, address in found:
            try:
                where = (str(address[0]), int(address[1]))
                sock = create_connection(
                    where, exchange.left_to_connect(), socket_options=self.socket_options
                )
                sock.settimeout(exchange.left_to_connect())  # for the TLS handshake
            except OSError as exc:
                last = exc
            else:
                self.owner = os.getpid()
                return sock
        raise NewConnectionError(self, f"no address of {self.host} could be reached: {last}")

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send one request, headers and body in a single write: half a request never leaves."""
        self._outbox.clear()
        super().request(*args, **kwargs)
        request = b"".join(self._outbox)
        if self.sock is None:
            self.connect()
        exchange = current_exchange.get()
        with exchange.bounded(self.sock):
            exchange.leave()
            self.sock.sendall(request)

    def send(self, data: Any) -> None:
        self._outbox.append(bytes(data))


class _SecureConnection(_Connection, HTTPSConnection):
    pass


class Pool(HTTPConnectionPool):
    ConnectionCls = _Connection

    def _get_conn(self, timeout: float | None = None) -> Any:
        conn: Any = super()._get_conn(timeout)
        idle = boottime() - conn.used_at
        if not conn.is_closed and (conn.owner != os.getpid() or idle > MAX_IDLE_SECONDS):
            conn.close()
        return conn

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.used_at = boottime()
        super()._put_conn(conn)


class SecurePool(Pool, HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise TimeoutError("no time is left")
    return seconds
