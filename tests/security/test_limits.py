"""What is bounded: rates, the database's time, and how far a slow inventory reaches."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from inventory_client.sandbox.server import Sandbox
from orders import queries
from orders.models import Order
from orderservice.rates import DEFAULTS, Limits, Rate, Scope
from tests.admin.pages import LIST
from tests.api.calls import ORDERS, body, create, guest, key_of, patch, refusal, service, url
from tests.deploy.serving import Served, served
from tests.deploy.slow import HOST, ask
from tests.factories import order, order_of, staff

BURSTS: dict[Scope, Callable[[APIClient], Any]] = {
    Scope.ORDERS: lambda client: create(client),
    Scope.STATUS: lambda client: patch(client, order_of(p10=1), "PENDING"),
    Scope.LISTS: lambda client: client.get(ORDERS),
    Scope.TOKENS: lambda client: client.post("/api/auth/token", {}, format="json"),
    Scope.LOGIN: lambda client: client.post("/admin/login/", {"username": "kim"}),
    Scope.KEYS: lambda client: client.get(ORDERS),
}


@pytest.mark.django_db
@pytest.mark.parametrize("scope", BURSTS)
def test_rate_of_a_burst_is_bounded_with_a_time_to_wait(
    settings: Settings, plenty: None, scope: Scope
) -> None:
    settings.API_THROTTLES = Limits({scope: Rate(3, 60)}, None)
    client = guest()
    if scope is Scope.KEYS:
        client = service()
    elif scope in (Scope.STATUS, Scope.LISTS):
        client.force_login(staff("manager"))
    answers = [BURSTS[scope](client) for _ in range(6)]
    assert [answer.status_code == 429 for answer in answers] == [False] * 3 + [True] * 3
    assert all(0 < int(answer["Retry-After"]) <= 60 for answer in answers[3:])


@pytest.mark.django_db
def test_rate_of_every_kind_is_limited_unless_told_otherwise(settings: Settings) -> None:
    of_nobody_who_is_told = {Scope.RESETS}  # tests/signin/test_resets.py
    assert set(BURSTS) | of_nobody_who_is_told == set(Scope) == set(DEFAULTS.rates)
    assert settings.API_THROTTLES == DEFAULTS


@pytest.mark.django_db
def test_rate_of_open_orders_of_a_guest_s_address_is_twenty(
    settings: Settings, plenty: None
) -> None:
    settings.API_THROTTLES = Limits({}, DEFAULTS.open_orders)
    assert [create(guest()).status_code for _ in range(21)] == [201] * 20 + [429]
    assert int(create(guest())["Retry-After"]) > 0


@pytest.mark.django_db
@pytest.mark.parametrize("door", ["api", "admin"])
def test_database_time_that_runs_out_is_a_clean_503(
    monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    def run_away(*args: object, **options: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 100")
            cursor.execute("SELECT pg_sleep(30)")

    client: Any = guest()
    path = url(order())
    if door == "admin":
        client = Client(raise_request_exception=False)
        client.force_login(staff("manager"))
        path = LIST
        monkeypatch.setattr("orders.admin.navigation.sidebar", run_away)
    monkeypatch.setattr(queries, "find", run_away)
    started = time.monotonic()

    answer = client.get(path)

    assert time.monotonic() - started < 5
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    for secret in (b"pg_sleep", b"statement", b"Traceback"):
        assert secret not in answer.content
    if door == "api":
        assert refusal(answer) == (503, "database_unavailable")


def test_database_time_is_bounded_on_every_connection() -> None:
    options: str = configured.DATABASES["default"]["OPTIONS"]["options"]  # type: ignore[index]
    assert "statement_timeout=15000" in options
    assert "lock_timeout=5000" in options


@pytest.mark.usefixtures("committed_db")
def test_slow_inventory_leaves_health_and_reading_quick(tmp_path: Path, sandbox: Sandbox) -> None:
    placed = [order_of(p10=1) for _ in range(20)]
    auth = {"Authorization": f"Api-Key {key_of(staff('manager'))}"}
    sandbox.switches.update({"latency_ms": 12_000})
    json_ = {"Content-Type": "application/json"}

    def call(server: Served, number: int) -> int:
        client = HTTPConnection(HOST, server.port, timeout=60)
        if number < 20:
            client.request("POST", ORDERS, json.dumps(body()), json_ | auth)
        else:
            path = url(placed[number - 20], "/status")
            client.request("PATCH", path, '{"status":"CONFIRMED"}', json_ | auth)
        return client.getresponse().status

    with served(tmp_path / "log", INVENTORY_SERVICE_URL=sandbox.url, API_THROTTLES="off") as server:
        ask(server.port, url(placed[0]))
        with ThreadPoolExecutor(40) as pool:
            calls = [pool.submit(call, server, number) for number in range(40)]
            time.sleep(1.5)  # until each has got as far as it gets
            waits = []
            while not all(each.done() for each in calls):
                for path in ("/health", url(placed[0])):
                    status, seconds = ask(server.port, path)
                    assert status == 200
                    waits.append(seconds)
                time.sleep(0.05)
        statuses = {each.result() for each in calls}
    assert statuses <= {202, 503}
    assert len(waits) > 10
    assert max(waits) < 1
    assert Order.objects.count() == 20
