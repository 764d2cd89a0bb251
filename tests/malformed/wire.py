"""One request to a web server, byte by byte, and its answer."""

import socket
import time
from contextlib import suppress
from http.client import HTTPException, HTTPResponse

from tests.malformed.case import HOST, Case, Must
from tests.malformed.judge import PATIENCE, Answer


def send(port: int, case: Case) -> Answer:
    """Send a request on a connection of its own, whose sending half ends with what is no HTTP."""
    begun = time.perf_counter()
    with socket.create_connection((HOST, port), timeout=PATIENCE) as connection:
        with suppress(ConnectionError):  # refused before all of it has come: the answer is there
            connection.sendall(case.wire())
            if case.must is Must.BE_NO_HTTP:
                connection.shutdown(socket.SHUT_WR)
        return _read(connection, case, begun)


def _read(connection: socket.socket, case: Case, begun: float) -> Answer:
    response = HTTPResponse(connection, method=case.method)
    try:
        response.begin()
        body = response.read()
    except (HTTPException, ConnectionError, TimeoutError):
        return Answer(0, {}, b"", time.perf_counter() - begun)
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, body, time.perf_counter() - begun)
