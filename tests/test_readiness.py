"""GET /health/ready: each dependency by name."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders.models import Confirmation
from orders.stock import inspection
from orderservice import readiness
from tests.factories import order

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_known", readiness.Known())


def ask() -> Any:
    return Client().get("/health/ready")


def test_all_well_is_ready(sandbox: Sandbox) -> None:
    answer = ask()
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert answer.json() == {
        "status": "ok",
        "service": "order-service",
        "dependencies": {
            name: {"status": "ok"} for name in ("database", "migrations", "queue", "inventory")
        },
    }


def test_without_the_database_it_is_alive_and_not_ready(sandbox: Sandbox) -> None:
    with patch.object(BaseDatabaseWrapper, "cursor", side_effect=OperationalError("gone")):
        answer = ask()
        alive = Client().get("/health")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    body = answer.json()
    assert body["status"] == "unavailable"
    assert body["dependencies"]["database"] == {"status": "unavailable", "detail": "no answer"}
    assert body["dependencies"].keys() == {"database", "inventory"}
    assert "gone" not in str(body)
    assert alive.status_code == 200


def test_without_a_migration_it_is_not_ready(sandbox: Sandbox) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE (app, name) ="
            " (SELECT app, max(name) FROM django_migrations WHERE app = 'orders' GROUP BY app)"
        )
    answer = ask()
    assert answer.status_code == 503
    assert answer.json()["dependencies"]["migrations"]["status"] == "unavailable"


@pytest.mark.parametrize("away", ["down", "ill"])
def test_without_the_inventory_it_is_degraded_and_ready(
    sandbox: Sandbox, settings: Settings, away: str
) -> None:
    if away == "down":
        settings.INVENTORY_SERVICE_URL = "http://127.0.0.1:9/api/v1"
    else:
        sandbox.switches.update({"database_connected": False})
    answer = ask()
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    inventory = answer.json()["dependencies"]["inventory"]
    assert inventory["status"] == "degraded"
    assert "127.0.0.1" not in inventory["detail"]


def test_inventory_is_not_asked_at_each_request(sandbox: Sandbox) -> None:
    with patch.object(inspection, "ping", wraps=inspection.ping) as ping:
        for _ in range(5):
            ask()
    assert ping.call_count == 1


def test_queue_that_nobody_works_at_is_degraded(sandbox: Sandbox) -> None:
    Confirmation.objects.create(
        order=order(stock_state="settling"),
        state="running",
        actor="system",
        via="api",
        wake_at=timezone.now() - timedelta(minutes=10),
    )
    answer = ask()
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["dependencies"]["queue"]["detail"].startswith("1 due, the oldest for 60")


def test_it_is_only_read() -> None:
    assert Client(enforce_csrf_checks=True).post("/health/ready").status_code == 405
