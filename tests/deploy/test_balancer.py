"""deploy/haproxy.cfg, before two servers that do what instances do when they go, or die."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT, free_port, haproxy, wait_for

CONFIGURATION = ROOT / "deploy" / "haproxy.cfg"
ORDER = "/api/orders/7b1e9a5e-0000-4000-8000-000000000000"

pytestmark = pytest.mark.skipif(haproxy() is None, reason="there is no haproxy")


class Instance(ThreadingHTTPServer):
    """Answers probes as it is told to, and notes the calls that it gets."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.ready = 200
        self.hangs_up = False  # on calls: takes them, and closes without a word
        self.calls: list[str] = []
        self.seen: list[Message] = []
        threading.Thread(target=self.serve_forever, args=[0.05], daemon=True).start()

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that have gone."""


class _Handler(BaseHTTPRequestHandler):
    server: Instance
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.startswith("/health"):
            self._answer(self.server.ready if self.path == "/health/ready" else 200)
            return
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.calls.append(self.command)
        self.server.seen.append(self.headers)
        if self.server.hangs_up:
            self.close_connection = True
        else:
            self._answer(200)

    do_POST = do_PATCH = do_GET

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture
def instances() -> Iterator[tuple[Instance, Instance]]:
    pair = Instance(), Instance()
    yield pair
    for each in pair:
        each.shutdown()
        each.server_close()


@contextmanager
def balancer(log: Path, *ports: int) -> Iterator[int]:
    """Run HAProxy before the ports, with checks that come often; its port."""
    port = free_port()
    variables = {f"WEB{n}": f"127.0.0.1:{each}" for n, each in enumerate(ports, 1)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [haproxy() or "", "-db", "-f", str(CONFIGURATION)],
            env=os.environ | {"BIND": f"127.0.0.1:{port}", "HEALTH_INTERVAL": "50ms"} | variables,
            stdout=output,
            stderr=output,
        )
    try:
        wait_for(lambda: _listens(port))
        yield port
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    try:
        return ask(port, "GET", "/health").status > 0
    except OSError:
        return False


def ask(port: int, method: str, path: str = ORDER, **headers: str) -> HTTPResponse:
    """Make a call of its own connection."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method, path, b"{}" if method != "GET" else None, headers)
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    connection.close()
    return answer


def problem(answer: HTTPResponse) -> tuple[int, str, str]:
    """Return the status of a problem, its code, and when to try again."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = json.loads(answer.body)  # type: ignore[attr-defined]
    assert document["status"] == answer.status
    return answer.status, document["code"], answer.headers["Retry-After"]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_change_that_got_no_answer_is_sent_once(
    instances: tuple[Instance, Instance], tmp_path: Path, method: str
) -> None:
    for each in instances:
        each.hangs_up = True
    with balancer(tmp_path / "log", *(each.server_port for each in instances)) as port:
        assert problem(ask(port, method)) == (502, "no_answer", "5")
    assert instances[0].calls + instances[1].calls == [method]


def test_read_that_got_no_answer_is_sent_to_the_other(
    instances: tuple[Instance, Instance], tmp_path: Path
) -> None:
    instances[0].hangs_up = True
    with balancer(tmp_path / "log", *(each.server_port for each in instances)) as port:
        assert [ask(port, "GET").status for _ in range(4)] == [200] * 4
    assert instances[0].calls, "or nothing was tried again"


def test_change_that_could_not_be_sent_goes_to_the_other(
    instances: tuple[Instance, Instance], tmp_path: Path
) -> None:
    with balancer(tmp_path / "log", free_port(), instances[1].server_port) as port:
        assert [ask(port, "POST").status for _ in range(4)] == [200] * 4
    assert instances[1].calls == ["POST"] * 4


def test_instance_that_is_not_ready_gets_nothing_unless_none_is(
    instances: tuple[Instance, Instance], tmp_path: Path
) -> None:
    def reaches(instance: Instance) -> bool:
        before = len(instance.calls)
        assert all(ask(port, "GET").status == 200 for _ in range(4))
        return len(instance.calls) > before

    with balancer(tmp_path / "log", *(each.server_port for each in instances)) as port:
        instances[0].ready = 503
        wait_for(lambda: not reaches(instances[0]))
        assert reaches(instances[1])
        instances[1].ready = 503
        wait_for(lambda: reaches(instances[0]) and reaches(instances[1]))
        instances[0].ready = 200
        wait_for(lambda: not reaches(instances[1]))


def test_nobody_there_is_a_problem_that_says_when_to_try_again(tmp_path: Path) -> None:
    with balancer(tmp_path / "log", free_port(), free_port()) as port:
        wait_for(lambda: problem(ask(port, "GET")) == (503, "unavailable", "5"))


def test_service_is_told_who_calls_and_how_and_the_log_nothing_of_the_path(
    instances: tuple[Instance, Instance], tmp_path: Path
) -> None:
    instances[0].hangs_up = instances[1].hangs_up = True
    log = tmp_path / "log"
    with balancer(log, *(each.server_port for each in instances)) as port:
        ask(port, "POST", **{"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"})
        wait_for(lambda: "POST" in log.read_text())
    [seen] = instances[0].seen + instances[1].seen
    assert seen.get_all("X-Forwarded-For") == ["192.0.2.7", "127.0.0.1"], "whom we see comes last"
    assert seen["X-Forwarded-Proto"] == "http", "nobody can say that for themselves"
    [logged] = [line for line in log.read_text().splitlines() if line.startswith("{")]
    assert (json.loads(logged)["method"], json.loads(logged)["status"]) == ("POST", 502)
    assert "7b1e9a5e" not in log.read_text()
