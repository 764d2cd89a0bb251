"""Exports through gunicorn: what a client that goes away leaves behind."""

import socket
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.test import Client

from orders.models import Export, Order
from tests.deploy.serving import served
from tests.exports.rows import seed, table
from tests.factories import staff
from tests.processes import wait_for

PATH = "/admin/orders/order/export/orders/"


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
def test_client_that_goes_away_frees_thread_and_slot_and_is_recorded(tmp_path: Path) -> None:
    seed(30_000, lines=1)
    client = Client()
    client.force_login(staff("manager"))
    with served(tmp_path / "log", WEB_THREADS="4") as server:  # one export at once
        for left in (1, 2):
            connection = asked_for(server.port, client, slow=True)
            response = connection.getresponse()
            assert (response.status, response.getheader("Transfer-Encoding")) == (200, "chunked")
            response.read(1000)
            assert Export.objects.filter(outcome="started").count() == 1

            busy = asked_for(server.port, client)
            assert busy.getresponse().status == 503
            busy.close()

            response.close()
            connection.close()
            wait_for(lambda left=left: Export.objects.filter(outcome="broken_off").count() == left)  # type: ignore[misc]

        whole = asked_for(server.port, client)
        rows = table(whole.getresponse().read())
        whole.close()
    assert len(rows) == 30_000
    assert {int(row["number"]) for row in rows} == set(Order.objects.values_list("pk", flat=True))
    last = Export.objects.latest("pk")
    assert (last.outcome, last.rows) == ("complete", 30_000)
    assert all(row.rows < 30_000 for row in Export.objects.exclude(pk=last.pk))
