"""gunicorn's worker of threads, whose threads never wait for what a client sends.

In gunicorn's own a thread reads each request: as many clients as there are threads, that send a
byte now and then, and nobody else is served. Here a request is read in the loop, where a slow one
costs a socket; a thread gets it once it is whole. What has not arrived in time is closed.
docs/adr/0014-slow-clients.md says why.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import selectors
import socket
import struct
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from http import HTTPStatus
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

from orderservice import draining
from orderservice.arrival import Arrival, Stage
from orderservice.threads import Threads

LINGER = 2.0  # seconds, and bytes, that a client may still send after its last answer
LINGER_BYTES = 1024 * 1024
_READ = 64 * 1024


class Log(Logger):  # type: ignore[misc] # gunicorn is untyped
    """gunicorn's own lines, which the root's handler writes like all others."""

    def setup(self, cfg: Any) -> None:
        """Take gunicorn's handlers away again, whose form is another."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class NothingMore(ConnectionResetError):
    """A thread wants bytes that have not come, or a client takes none of its answer."""

    def __init__(self, what: str) -> None:
        super().__init__(errno.ECONNRESET, what)  # which gunicorn passes over without a word


class _Arrived(SocketUnreader):  # type: ignore[misc] # gunicorn is untyped
    """What gunicorn's parser reads from: bytes that are there, and never a wait for others."""

    def chunk(self, size_hint: int | None = None) -> bytes:
        try:
            size = max(size_hint or 0, self.mxchunk)
            return bytes(self.sock.recv(size, socket.MSG_DONTWAIT))
        except BlockingIOError as exc:
            raise NothingMore("the request is not whole") from exc


class _WithoutPage:
    """A client's socket, which gets the status of gunicorn's own refusals, and not their page.

    The page repeats what was sent, and tells our limits.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendall(self, message: bytes) -> None:
        self._sock.sendall(_answer(HTTPStatus(int(message.split()[1]))))


class Connection(TConn):  # type: ignore[misc] # gunicorn is untyped
    """A client's connection, and what has come of its next request."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.data_ready = True  # gunicorn need not wait for it
        self.arrival = Arrival()
        self.deadline = 0.0

    def init(self) -> None:
        """Give the parser what has arrived."""
        if not self.initialized:
            super().init()
            self.parser.unreader = _Arrived(self.sock)
        self.parser.unreader.unread(bytes(self.arrival.data))
        self.arrival = Arrival()


class PatientWorker(ThreadWorker):  # type: ignore[misc] # gunicorn is untyped
    """Waits for requests in its loop, and serves them in its threads.

    ``arrival`` is how long a request may take to come, in seconds: from its first byte, or from
    when the connection was made. ``stall`` is how long a client may take nothing of its answer.
    A slow answer, and a client that reads slowly, have all the time they need.
    """

    arrival = 20.0
    stall = 30.0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # What waits in the loop, each with its deadline.
        self.arriving: dict[Connection, None] = {}
        self.leaving: dict[Connection, int] = {}  # with the bytes that it has sent since

    def init_process(self) -> None:
        """Say nothing of a client in gunicorn's own lines."""
        self.log.error_log.addFilter(tell_no_request)
        logging.getLogger("gunicorn.http.wsgi").addFilter(tell_no_request)
        super().init_process()

    def get_thread_pool(self) -> Threads:
        """Return the threads that serve."""
        return Threads(self.cfg.threads)

    def accept(self, listener: socket.socket) -> bool:
        """Accept a connection, and wait for its request; tell whether there was one."""
        try:
            sock, address = listener.accept()
        except OSError as exc:
            if exc.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return exc.errno == errno.ECONNABORTED
        whole, fraction = divmod(self.stall, 1)
        patience = struct.pack("ll", int(whole), int(fraction * 1e6))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)
        self.nr_conns += 1
        self._await(Connection(self.cfg, sock, address, listener.getsockname()))
        return True

    def on_client_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """Wait for the next request of a connection that was kept."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._await(conn)

    def finish_request(self, conn: Connection, fs: Future[bool]) -> None:
        """Keep the connection for its next request, or see it off."""
        if fs.cancelled() or fs.exception() is not None or not fs.result():
            self._see_off(conn)
        elif begun := conn.parser.unreader.take_buffered():
            self._await(conn, begun)
        else:
            super().finish_request(conn, fs)

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """Serve one request; a client that takes none of its answer for long is let go."""
        if draining.has_begun():
            self.max_keepalived = 0  # this answer, and all others, say that they are the last
        try:
            return bool(super().handle_request(req, conn))
        except BlockingIOError as exc:
            raise NothingMore("the answer is not taken") from exc

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Refuse what is no request, or a failure of the application's, in a word."""
        super().handle_error(req, _WithoutPage(client), addr, exc)

    def murder_pending(self) -> None:
        """Close what has not arrived in time, and what does not leave."""
        now = time.monotonic()
        for conn in [each for each in self.arriving if each.deadline < now]:
            self._forget(conn)
            self._see_off(conn, HTTPStatus.REQUEST_TIMEOUT if conn.arrival.data else None)
        for conn in [each for each in self.leaving if each.deadline < now]:
            self._forget(conn)
            self._close(conn)

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """Tell whether the connection can be kept: a body that nobody read is not waited for."""
        try:
            return keepalive and bool(conn.parser.finish_body(max_bytes=_READ))
        except NothingMore:
            return False

    def _cap_keepalive(self, deadline: float) -> None:
        """When we stop, accept what waits, and nothing more; wait for no client that is silent."""
        for listener in self.sockets:
            # What the kernel has accepted for us goes down with the listener. Left open, as
            # gunicorn leaves it until the last request has ended, it would take in still more.
            while self.accept(listener):
                pass
            listener.close()
        super()._cap_keepalive(deadline)
        for conn in self.arriving:
            if not conn.arrival.data:
                conn.deadline = min(conn.deadline, deadline)

    def _await(self, conn: Connection, begun: bytes = b"") -> None:
        conn.sock.setblocking(False)
        conn.arrival = Arrival(begun)
        conn.deadline = time.monotonic() + self.arrival
        self.arriving[conn] = None
        self._watch(conn, self._receive)
        self._receive(conn)

    def _receive(self, conn: Connection, _: object = None) -> None:
        """Take what has come, and go on as far as that makes the request come."""
        ended = False
        before = conn.arrival.stage
        try:
            data = conn.sock.recv(_READ)
            ended = not data
            conn.arrival.add(data)
            if conn.arrival.stage is Stage.EXPECTED and before is Stage.HEAD:
                conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        except BlockingIOError:
            pass
        except OSError:
            ended = True
            conn.arrival = Arrival()
        if conn.arrival.stage is Stage.TOO_LARGE:
            self._forget(conn)
            self._see_off(conn, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif conn.arrival.stage is Stage.WHOLE:
            self._forget(conn)
            self.enqueue_req(conn)
        elif ended:  # in the middle: nobody is there to be answered
            self._forget(conn)
            self._close(conn)

    def _see_off(self, conn: Connection, status: HTTPStatus | None = None) -> None:
        """End a connection, with an answer where it has got none, and let the client close it.

        To close it here would take away the answer while its client still sends (RFC 9112, 9.6).
        gunicorn's own waits for that in the loop, for 2 s, in which nobody else is served.
        """
        try:
            conn.sock.setblocking(False)
            if status is not None:
                conn.sock.send(_answer(status))
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
            return
        conn.deadline = time.monotonic() + LINGER
        self.leaving[conn] = 0
        self._watch(conn, self._drain)

    def _drain(self, conn: Connection, _: object = None) -> None:
        data = b""
        try:
            data = conn.sock.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            pass
        self.leaving[conn] += len(data)
        if not data or self.leaving[conn] > LINGER_BYTES:
            self._forget(conn)
            self._close(conn)

    def _watch(self, conn: Connection, then: Callable[..., None]) -> None:
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(then, conn))

    def _forget(self, conn: Connection) -> None:
        self.poller.unregister(conn.sock)
        self.arriving.pop(conn, None)
        self.leaving.pop(conn, None)

    def _close(self, conn: Connection) -> None:
        self.nr_conns -= 1
        with contextlib.suppress(OSError):
            conn.close()


def tell_no_request(record: logging.LogRecord) -> bool:
    """Take out of gunicorn's lines whose request it was, and of what: a path may hold a secret."""
    if not isinstance(record.msg, str):
        return True
    if record.msg.startswith("WSGI app sent body bytes on a no-body response"):
        return False  # what Django answers to HEAD; anybody could fill the log with it
    if record.msg.startswith("Error handling request"):
        record.msg, record.args = "Error handling request", ()
    elif record.msg.startswith("Invalid request from"):
        kind = sys.exc_info()[0]
        record.msg, record.args = "Invalid request: %s", (kind.__name__ if kind else "unknown",)
    return True


def _answer(status: HTTPStatus) -> bytes:
    lines = [f"HTTP/1.1 {status} {status.phrase}", "Content-Length: 0", "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode()
