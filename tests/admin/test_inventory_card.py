"""The dashboard's live question to the inventory: afterwards, briefly, and without consequences."""

import re
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import outgoing
from orders.stock import inventory
from tests.admin.conftest import SignIn

pytestmark = pytest.mark.django_db

HOME = "/admin/"
PING = "/admin/inventory/"
HTMX = {"HX-Request": "true"}


def test_inventory_is_not_asked_while_the_page_opens(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(deadline: float) -> None:
        raise AssertionError("the page waits for the inventory")

    monkeypatch.setattr(inventory, "ping", asked)
    body = sign_in("manager").get(HOME).content.decode()
    assert f'hx-get="{PING}" hx-trigger="load"' in body
    assert f'<a class="orders-link" href="{PING}">Ask it now</a>' in body


def test_inventory_that_answers_is_up(sign_in: SignIn, sandbox: Sandbox) -> None:
    client = sign_in("fulfilment")
    part = client.get(PING, headers=HTMX).content.decode()
    assert re.search(r"Answered in \d+ ms", part)
    assert "<html" not in part
    whole = client.get(PING).content.decode()
    assert "<html" in whole
    assert "Answered in" in whole


@pytest.mark.parametrize(
    ("switches", "words"),
    [
        ({"down": "reset"}, "no answer (connection lost)"),
        ({"down": "503"}, "no answer (server error)"),
        ({"latency_ms": 900}, "no answer (timeout)"),
        ({"database_connected": False}, "degraded, its database is disconnected"),
    ],
)
def test_inventory_in_trouble_is_told_within_the_deadline(
    sign_in: SignIn,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    switches: dict[str, Any],
    words: str,
) -> None:
    monkeypatch.setattr(inventory, "GLANCE", 0.2)
    sandbox.switches.update(switches)
    response = sign_in("manager").get(PING, headers=HTMX)
    assert response.status_code == 200
    body = response.content.decode()
    assert "trouble" in body
    assert words in body.lower()


def test_inventory_ping_that_fails_opens_no_breaker(
    sign_in: SignIn, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "GLANCE", 0.1)
    client = sign_in("manager")
    sandbox.switches.update({"latency_ms": 300})
    for _ in range(6):
        assert "trouble" in client.get(PING, headers=HTMX).content.decode()
    assert inventory.client().health().ok


def test_inventory_is_not_asked_when_no_call_is_to_spare(
    sign_in: SignIn, sandbox: Sandbox, settings: Settings
) -> None:
    settings.WEB_THREADS = 3
    outgoing._slots.cache_clear()
    try:
        with inventory.call():
            body = sign_in("manager").get(PING, headers=HTMX).content.decode()
    finally:
        outgoing._slots.cache_clear()
    assert "every call that this process can spare is taken" in body


def test_inventory_is_asked_only_for_who_sees_its_calls(sign_in: SignIn) -> None:
    client = sign_in("viewer")
    assert client.get(PING).status_code == 403
    assert sign_in("manager").post(PING).status_code == 405
