"""Exports through gunicorn: what a client that goes away leaves behind."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest
from django.test import Client

from orders.models import Export, Order
from tests.exports.rows import seed, table
from tests.factories import staff
from tests.processes import ROOT, ask, database_url, free_port, stop, wait_for

PATH = "/admin/orders/order/export/orders/"


@contextmanager
def served(**variables: str) -> Iterator[int]:
    """Run gunicorn as production does, in one process; yield its port."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "orderservice.wsgi"],
        cwd=ROOT,
        env=os.environ
        | {
            "DEBUG": "1",
            "WEB_CONCURRENCY": "1",
            "DATABASE_URL": database_url(),
            "PORT": str(port),
        }
        | variables,
    )
    try:
        wait_for(lambda: ask(port, "/health") == (200, ""))
        yield port
        assert stop(process) == 0
    finally:
        process.kill()
        process.wait()


def asked_for(port: int, client: Client, *, slow: bool = False) -> HTTPConnection:
    """Send what the page's form sends, and return the connection that the file comes on.

    ``slow`` makes the receiver's buffer small, so that the server feels it when nobody reads.
    """
    client.get("/admin/")
    token = "t" * 32
    cookies = f"sessionid={client.cookies['sessionid'].value}; csrftoken={token}"
    connection = HTTPConnection("localhost", port, timeout=60)
    connection.connect()
    if slow:
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.request(
        "POST",
        PATH,
        body=f"csrfmiddlewaretoken={token}",
        headers={"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"},
    )
    return connection


@pytest.mark.usefixtures("committed_db")
def test_client_that_goes_away_frees_thread_and_slot_and_is_recorded() -> None:
    seed(30_000, lines=1)
    client = Client()
    client.force_login(staff("manager"))
    with served(WEB_THREADS="4") as port:  # one export at once
        for left in (1, 2):
            connection = asked_for(port, client, slow=True)
            response = connection.getresponse()
            assert (response.status, response.getheader("Transfer-Encoding")) == (200, "chunked")
            response.read(1000)
            assert Export.objects.filter(outcome="started").count() == 1

            busy = asked_for(port, client)
            assert busy.getresponse().status == 503
            busy.close()

            response.close()
            connection.close()
            wait_for(lambda left=left: Export.objects.filter(outcome="broken_off").count() == left)  # type: ignore[misc]

        whole = asked_for(port, client)
        rows = table(whole.getresponse().read())
        whole.close()
    assert len(rows) == 30_000
    assert {int(row["number"]) for row in rows} == set(Order.objects.values_list("pk", flat=True))
    last = Export.objects.latest("pk")
    assert (last.outcome, last.rows) == ("complete", 30_000)
    assert all(row.rows < 30_000 for row in Export.objects.exclude(pk=last.pk))
