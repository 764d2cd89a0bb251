"""SIGTERM: the instance says that it goes, serves on, and leaves nobody without an answer."""

import json
import os
import signal
import socket
import subprocess
from http.client import HTTPConnection
from pathlib import Path

import pytest
import requests

from inventory_client.sandbox.server import Sandbox
from orders.models import Order, StockMovement
from tests.api.calls import key_of, url
from tests.factories import order_of, staff, stock
from tests.processes import ask, gunicorn, stop, wait_for

pytestmark = pytest.mark.usefixtures("committed_db")

GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


def server_of(arbiter: subprocess.Popen[bytes]) -> int:
    """Return the id of the one process that serves."""
    children = Path(f"/proc/{arbiter.pid}/task/{arbiter.pid}/children").read_text().split()
    assert len(children) == 1
    return int(children[0])


def test_instance_told_to_stop_says_so_and_serves_until_it_has_drained() -> None:
    with gunicorn({"WEB_DRAIN_SECONDS": "600"}) as (arbiter, port):
        kept = HTTPConnection("localhost", port, timeout=10)
        kept.request("GET", "/health")
        assert kept.getresponse().read()
        assert ask(port, "/health/ready")[0] == 200

        arbiter.send_signal(signal.SIGTERM)
        wait_for(lambda: ask(port, "/health/ready")[0] == 503)

        kept.request("GET", "/health/ready")
        answer = kept.getresponse()
        assert answer.headers["Connection"] == "close", "its client shall connect elsewhere"
        assert json.loads(answer.read())["dependencies"] == {
            "process": {"status": "unavailable", "detail": "draining"}
        }
        assert ask(port, "/health") == (200, "")
        assert ask(port, "/api/docs")[0] == 200
        assert arbiter.poll() is None

        arbiter.send_signal(signal.SIGTERM)  # somebody is in a hurry
        assert arbiter.wait(timeout=15) == 0
        assert ask(port, "/health")[0] == 0


def test_connections_that_wait_to_be_accepted_are_answered_before_it_ends() -> None:
    """The kernel has accepted them for us: to close the listener alone would reset them."""
    with gunicorn({"WEB_DRAIN_SECONDS": "0.5"}) as (arbiter, port):
        server = server_of(arbiter)
        os.kill(server, signal.SIGSTOP)
        wait_for(lambda: _status(server, "State").startswith("T"))
        waiting = [socket.create_connection(("127.0.0.1", port), timeout=15) for _ in range(20)]
        for client in waiting:
            client.sendall(GET)
        arbiter.send_signal(signal.SIGTERM)
        wait_for(lambda: _is_told_to_stop(server))
        os.kill(server, signal.SIGCONT)

        answers = [client.recv(65536) for client in waiting]

        assert [answer[:15] for answer in answers] == [b"HTTP/1.1 200 OK"] * len(waiting)
        assert arbiter.wait(timeout=15) == 0


def test_call_that_a_request_has_left_is_written_down_before_the_process_ends(
    sandbox: Sandbox,
) -> None:
    """The request is answered after 2 s; the inventory takes longer, and has taken the stock."""
    sandbox.store.set_stock({"10": 45})
    order, credential = order_of(p10=2), f"Api-Key {key_of(staff('manager'))}"
    variables = {"WEB_DRAIN_SECONDS": "0", "INVENTORY_SERVICE_URL": sandbox.url}
    sandbox.faults.configure({"late_seconds": 4.0})
    sandbox.faults.script(fault="late_apply", operation="adjust")
    try:
        with gunicorn(variables) as (arbiter, port):
            # Until there was time for the call: 503 before that, and nothing was sent.
            wait_for(lambda: _confirm(port, order, credential) == 202)
            assert StockMovement.objects.get().state == "sent"
            assert stop(arbiter) == 0
    finally:
        sandbox.faults.configure({})
    assert StockMovement.objects.get().state == "applied"
    assert stock(sandbox) == {"10": 43}


def _confirm(port: int, order: Order, credential: str) -> int:
    return requests.patch(
        f"http://localhost:{port}{url(order, '/status')}",
        json={"status": "CONFIRMED"},
        headers={"Authorization": credential},
        timeout=30,
    ).status_code


def _is_told_to_stop(pid: int) -> bool:
    """Tell whether SIGTERM waits for a process that is frozen."""
    return bool(int(_status(pid, "ShdPnd"), 16) & 1 << signal.SIGTERM - 1)


def _status(pid: int, name: str) -> str:
    """Return what the kernel says of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{name}:"))
