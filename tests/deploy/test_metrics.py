"""``/metrics`` under four gunicorn processes and a worker: it adds up, also after they are gone."""

import signal
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.db import connection
from prometheus_client.parser import text_string_to_metric_families

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Order, ProcessReport
from orders.status import OrderStatus
from tests.deploy.serving import served
from tests.factories import OPERATOR, order_of
from tests.processes import stop, wait_for, worker

pytestmark = pytest.mark.usefixtures("committed_db")

TOKEN = "a-token-of-the-operators"
PROCESSES, CONNECTIONS, EACH = 4, 12, 25


def told(port: int, name: str, **labels: str) -> float:
    """Return what one process says that all have counted."""
    client = HTTPConnection("localhost", port, timeout=30)
    client.request("GET", "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    answer = client.getresponse()
    text = answer.read().decode()
    client.close()
    assert answer.status == 200
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == f"orderservice_{name}" and labels.items() <= sample.labels.items()
    )


def ask_often(port: int) -> None:
    def ask(_: int) -> None:
        client = HTTPConnection("localhost", port, timeout=30)
        for _ in range(EACH):
            client.request("GET", "/api/orders/nobody")
            client.getresponse().read()
        client.close()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(ask, range(CONNECTIONS)))


def test_counts_of_four_processes_and_a_worker_add_up(tmp_path: Path, sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"9": 100})
    with connection.cursor() as cursor:  # those of killed ones stay for a while
        cursor.execute("DELETE FROM procrastinate_workers")
    sent = CONNECTIONS * EACH
    lookups = {"route": "api/orders/<str:order_id>", "status": "404"}
    with served(
        tmp_path / "log",
        WEB_CONCURRENCY=str(PROCESSES),
        METRICS_TOKEN=TOKEN,
        INVENTORY_SERVICE_URL=sandbox.url,
        API_THROTTLES="off",
    ) as server:
        ask_often(server.port)
        wait_for(lambda: told(server.port, "http_requests_total", **lookups) == sent)
        took = told(server.port, "http_request_duration_seconds_count", route=lookups["route"])
        assert took == sent

        server.signal(signal.SIGHUP)  # all four are replaced
        wait_for(lambda: "Hang up" in server.log.read_text())
        ask_often(server.port)
        wait_for(lambda: told(server.port, "http_requests_total", **lookups) == 2 * sent)

        orders = [order_of(p9=1).pk for _ in range(5)]
        lifecycle.confirm_many(orders, actor=OPERATOR)
        with worker(sandbox.url, METRICS_TOKEN=TOKEN) as process:
            confirmed = Order.objects.filter(status=OrderStatus.CONFIRMED)
            wait_for(lambda: confirmed.count() == 5)
            assert told(server.port, "workers") == 1
            assert stop(process) == 0
        assert told(server.port, "confirmations_total", outcome="confirmed") == 5
        assert told(server.port, "outgoing_calls_total", call="adjust", outcome="answered") == 5
    assert ProcessReport.objects.filter(role="web").count() > PROCESSES


def test_without_a_token_nothing_is_reported(tmp_path: Path, sandbox: Sandbox) -> None:
    with served(tmp_path / "log", INVENTORY_SERVICE_URL=sandbox.url) as server:
        ask_often(server.port)
    assert not ProcessReport.objects.exists()
