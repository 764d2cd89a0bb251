"""Clients that send, or read, a byte now and then: closed in time, and nobody waits for them."""

import contextlib
import json
import re
import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from inventory_client.sandbox.server import Sandbox
from orders.models import Order
from tests.api.calls import ORDERS
from tests.deploy.serving import Served, served
from tests.deploy.slow import HEAD, HOST, KINDS, ORDER, SIZED, ask, read_all, trickle
from tests.processes import wait_for

pytestmark = [
    pytest.mark.usefixtures("committed_db", "stocked"),
    pytest.mark.xdist_group("slow clients"),
]

THREADS = 8  # gunicorn's, of one process
PATIENCE = 2.0  # seconds; the default is 20
STATIC = "/static/unfold/css/styles.css"


@pytest.fixture(scope="module")
def server(
    django_db_setup: None, sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """One gunicorn, whose patience is short."""
    with served(
        tmp_path_factory.mktemp("gunicorn") / "log",
        WEB_ARRIVAL_SECONDS=str(PATIENCE),
        INVENTORY_SERVICE_URL=sandbox_server.url,
    ) as running:
        yield running


@pytest.fixture
def stocked(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})


def connect(server: Served) -> socket.socket:
    return socket.create_connection((HOST, server.port), timeout=30)


def others_are_served(server: Served, times: int = 5) -> None:
    for _ in range(times):
        for path, expected in (("/health", 200), (ORDERS, 401)):  # the second asks for a thread
            status, seconds = ask(server.port, path)
            assert (status, seconds < 1) == (expected, True)
        time.sleep(0.1)


def test_clients_that_trickle_are_closed_in_time_and_hold_nobody_up(server: Served) -> None:
    kinds = [kind for kind in KINDS for _ in range(THREADS - 1)]

    clients, join = trickle(server.port, *kinds, pace=0.2)
    time.sleep(0.5)
    others_are_served(server)
    join()

    late = {client.kind: client.seconds for client in clients if (client.seconds or 99) > 5}
    assert late == {}
    assert {client.kind: client.status for client in clients} == {
        "silent": None,
        "head": 408,
        "empty lines": None,
        "body": 408,
        "chunks": 408,
        "form": 408,
        "huge form": 403,  # it is not waited for, so its CSRF token can't be read
    }
    assert Order.objects.count() == 0
    log = server.log.read_text()
    assert not any(word in log for word in ("Traceback", "unhandled", '"status": 500'))


def test_worker_of_gunicorn_s_own_would_be_stopped_by_them(tmp_path: Path) -> None:
    theirs = "--worker-class gthread --graceful-timeout 1"
    with served(tmp_path / "log", GUNICORN_CMD_ARGS=theirs) as running:
        clients, _ = trickle(running.port, *["body"] * THREADS, pace=0.2)
        time.sleep(0.5)
        connection = HTTPConnection(HOST, running.port, timeout=3)
        connection.request("GET", "/health")
        with pytest.raises(TimeoutError):
            connection.getresponse()
        assert {client.seconds for client in clients} == {None}


def test_trickle_with_the_default_patience_ends_within_30_seconds(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    with served(tmp_path / "log", INVENTORY_SERVICE_URL=sandbox.url) as running:
        clients, join = trickle(running.port, *["head", "body", "chunks"] * THREADS)
        with connect(running) as connection:  # one that is slow, and gets there
            connection.sendall(HEAD + f"Content-Length: {len(ORDER)}\r\n\r\n".encode())
            for at in range(6):
                time.sleep(0.5)
                connection.sendall(ORDER[at * 40 : at * 40 + 40 if at < 5 else None])
            assert connection.recv(65536).startswith(b"HTTP/1.1 201")
        others_are_served(running)
        join()
    assert all(18 < (client.seconds or 0) < 30 for client in clients)
    assert Order.objects.count() == 1


def test_large_answer_that_is_read_slowly_is_not_cut(server: Served) -> None:
    whole = HTTPConnection(HOST, server.port, timeout=30)
    whole.request("GET", STATIC)
    size = len(whole.getresponse().read())
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect((HOST, server.port))
        request = f"GET {STATIC} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        received, started = 0, time.monotonic()
        while data := connection.recv(4096):
            received += len(data)
            time.sleep(2 * PATIENCE * len(data) / size)
    assert time.monotonic() - started > 1.5 * PATIENCE
    assert received > size > 100_000


def test_client_that_never_reads_its_answer_is_let_go(tmp_path: Path) -> None:
    worker = "--worker-class tests.deploy.impatient.ImpatientWorker --threads 1"
    with served(tmp_path / "log", GUNICORN_CMD_ARGS=worker) as running:
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect((HOST, running.port))
            deaf.sendall(f"GET {STATIC} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 40)
            time.sleep(5)  # the buffers are full after one second, and then nothing is taken
            assert ask(running.port)[1] < 2
        assert "Traceback" not in running.log.read_text()


def test_body_that_ends_too_soon_is_not_taken_for_whole(server: Served) -> None:
    with connect(server) as connection:
        connection.sendall(SIZED)  # an order, and the promise of more
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection) == b""
    assert Order.objects.count() == 0


def test_client_that_keeps_a_closed_connection_holds_nobody_up(server: Served) -> None:
    held = [connect(server) for _ in range(5)]
    for connection in held:
        connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
    others_are_served(server)
    for connection in held:
        assert read_all(connection).startswith(b"HTTP/1.0 200")
        connection.close()


def test_idle_connection_is_kept_for_its_next_request(server: Served) -> None:
    connection = HTTPConnection(HOST, server.port, timeout=30)
    for wait in (0.0, PATIENCE + 1.5):
        time.sleep(wait)
        connection.request("GET", "/health")
        answer = connection.getresponse()
        assert (answer.status, answer.will_close) == (200, False)
        answer.read()
    connection.close()


def test_requests_in_one_piece_are_answered_in_turn(server: Served) -> None:
    order = HEAD + f"Content-Length: {len(ORDER)}\r\n\r\n".encode() + ORDER
    last = b"GET /api HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with connect(server) as connection:
        connection.sendall(order + b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" + last[:9])
        time.sleep(0.3)
        connection.sendall(last[9:])
        answers = read_all(connection)
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"201", b"200", b"404"]


def test_body_that_waits_to_be_asked_for_is_asked_for(server: Served) -> None:
    with connect(server) as connection:
        length = f"Content-Length: {len(ORDER)}\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(HEAD + length.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(ORDER)
        connection.shutdown(socket.SHUT_WR)
        assert b"HTTP/1.1 201" in read_all(connection)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /api/orders/a-secret HTTP/9.9\r\n\r\n", 400),
        (b"GET /api/orders/a-secret HTTP/1.1\r\na-secret\r\n\r\n", 400),
        (b"GET /api/orders/" + b"a-secret" * 1000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET /health HTTP/1.1\r\n" + b"X-A: a-secret\r\n" * 100 + b"\r\n", 431),
        (b"GET /health HTTP/1.1\r\nX-A: " + b"a-secret" * 10_000, 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\na-secret\r\n", 400),
        (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n1234567", 400),
    ],
    ids=["version", "header", "path", "headers", "endless", "tls", "chunk", "lengths"],
)
def test_malformed_request_is_refused_and_stands_in_no_log(
    server: Served, sent: bytes, status: int
) -> None:
    with connect(server) as connection:
        connection.sendall(sent)
        answer = read_all(connection)
    assert int(answer.split()[1]) == status
    _, _, page = answer.partition(b"\r\n\r\n")
    assert page == b"" or json.loads(page)["code"] == "parse_error"  # chunks are for us to refuse
    assert "a-secret" not in server.log.read_text()


@pytest.mark.parametrize("size", [65 * 1024, 300 * 1024, 5_000_000])
def test_body_too_large_is_answered_though_its_client_still_sends(
    server: Served, size: int
) -> None:
    connection = HTTPConnection(HOST, server.port, timeout=30)
    connection.putrequest("POST", ORDERS)
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(size))
    connection.endheaders(b" " * min(size, 400 * 1024))
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["code"]) == (413, "body_too_large")
    connection.close()


def test_body_without_an_end_is_refused(server: Served) -> None:
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    with connect(server) as connection:
        connection.sendall(head)
        with contextlib.suppress(ConnectionError):
            for _ in range(30):  # it would go on
                connection.sendall(b"4000\r\n" + b" " * 0x4000 + b"\r\n")
        assert connection.recv(65536).split()[1] == b"413"


def test_stop_does_not_wait_for_the_silent(tmp_path: Path) -> None:
    started = time.monotonic()
    with served(tmp_path / "log") as running:
        silent = connect(running)
        wait_for(lambda: ask(running.port)[0] == 200)
        started = time.monotonic()
    assert time.monotonic() - started < 10
    silent.close()
