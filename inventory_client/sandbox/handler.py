"""One connection: reads requests, and answers each truly or with the fault that was drawn."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import uuid
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl

from inventory_client.sandbox import faults, routes
from inventory_client.sandbox.control import PREFIX
from inventory_client.sandbox.messages import Refusal, Request, Response, unexpected

if TYPE_CHECKING:
    from inventory_client.sandbox.server import Sandbox, _Server

IDLE_SECONDS = 5
_HANG_SECONDS = 30.0
_DRIP_SECONDS = 0.2
_PAGE = Path(__file__).with_name("page.html").read_bytes()


class Handler(BaseHTTPRequestHandler):
    """Serves one keep-alive connection, which is closed after 5 s without a request."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Find the sandbox that this connection belongs to."""
        super().setup()
        self.sandbox: Sandbox = cast("_Server", self.server).sandbox

    def serve(self) -> None:
        """Answer one request."""
        request = self._request()
        if request.path == "/" and request.method == "GET":
            self._send(200, _PAGE, {"content-type": "text/html; charset=utf-8"})
        elif request.path.startswith(PREFIX):
            self._answer(self.sandbox.control.answer(request), request)
        elif self.sandbox.switches.down == "reset":
            self._reset()
        elif self.sandbox.switches.down == "503":
            self._answer(faults.instead("503_before", request.path, request.trace_id), request)
        else:
            self.sandbox.stopping.wait(self.sandbox.switches.latency_ms / 1000)
            found = routes.find(self.sandbox.routes, request)
            if isinstance(found, Response):
                self._answer(found, request)
            else:
                self._call(request, *found)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = serve

    def log_message(self, *_: object) -> None:
        """Keep no access log: the page and the counts tell more."""

    def _call(self, request: Request, route: routes.Route, product_id: str) -> None:
        fault = self.sandbox.faults.draw(route.operation, product_id)
        self.sandbox.count_call(route.operation)
        late_seconds = self.sandbox.faults.chances.late_seconds
        match fault:
            case "reset_before":
                self._reset()
                return
            case "hang":
                self.sandbox.stopping.wait(_HANG_SECONDS)
                self._reset()
                return
            case "late_dead":
                self._apply_later(request, route, product_id, late_seconds)
                self._reset()
                return
            case "late_apply":
                self.sandbox.stopping.wait(late_seconds)
            case "latency":
                self.sandbox.stopping.wait(self.sandbox.faults.latency())
        if fault in faults.BEFORE:
            self._answer(faults.instead(fault, request.path, request.trace_id), request)
            return
        response = _respond(request, route, product_id)
        match fault:
            case "reset_after":
                self._reset()
            case "500_after":
                self._answer(unexpected(request.trace_id), request)
            case "truncated" | "slow_loris" | "malformed_json":
                self._send_badly(fault, response, request)
            case None:
                self._answer(response, request)
            case _:
                self._answer(faults.spoilt(fault, response), request)

    def _apply_later(
        self, request: Request, route: routes.Route, product_id: str, seconds: float
    ) -> None:
        def land() -> None:
            if not self.sandbox.stopping.wait(seconds):
                _respond(request, route, product_id)
            self.sandbox.count_late(-1)

        self.sandbox.count_late(1)
        threading.Thread(target=land, daemon=True).start()

    def _request(self) -> Request:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = headers.get("content-length", "0")
        return Request(
            method=self.command,
            path=path,
            query=dict(parse_qsl(query, keep_blank_values=True)),
            headers=headers,
            body=self.rfile.read(int(length) if length.isdigit() else 0),
            trace_id=uuid.uuid4().hex,
        )

    def _answer(self, response: Response, request: Request) -> None:
        try:
            content = response.content() if response.document is not None else b""
        except ValueError:  # the upstream can't encode some bad inputs that it echoes
            response = unexpected(request.trace_id)
            content = response.content()
        self._send(response.status, content, {"x-trace-id": request.trace_id, **response.headers})

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.wfile.write(self._head(status, len(content), headers) + content)

    def _send_badly(self, fault: str, response: Response, request: Request) -> None:
        content = response.content()
        headers = {"x-trace-id": request.trace_id}
        if fault == "malformed_json":
            self._send(response.status, content[:-1] + b",", headers)
            return
        self.close_connection = True
        answer = self._head(response.status, len(content), headers) + content
        if fault == "truncated":
            self.wfile.write(answer[: -len(content) // 2])
            return
        with contextlib.suppress(OSError):  # the client had enough
            for position in range(len(answer)):
                self.wfile.write(answer[position : position + 1])
                if self.sandbox.stopping.wait(_DRIP_SECONDS):
                    return

    def _head(self, status: int, length: int, headers: dict[str, str]) -> bytes:
        lines = [f"HTTP/1.1 {status} {self.responses.get(status, ('',))[0]}"]
        fields = {"content-type": "application/json", "content-length": str(length), **headers}
        lines += [f"{name}: {value}" for name, value in fields.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _reset(self) -> None:
        self.close_connection = True
        linger_none(self.connection)
        # Or the server would say goodbye first. The socket is gone once its two files are, too.
        self.connection.close()


def linger_none(connection: socket.socket) -> None:
    """Make the close that follows a reset, as when a process dies; harmless on a closed one."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _respond(request: Request, route: routes.Route, product_id: str) -> Response:
    try:
        return route.answer(request, product_id)
    except Refusal as exc:
        return routes.refused(request, exc)
