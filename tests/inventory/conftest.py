"""A sandbox and scripted peers on sockets of their own, and a mocked wire."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses

from inventory_client import InventoryClient
from inventory_client.sandbox import Sandbox
from tests.inventory.mocked import BASE, GATEWAY
from tests.inventory.peers import Behaviour, ScriptedServer, Serve


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[Sandbox]:
    with Sandbox(stock={}) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    """A sandbox as new: 10 of product "10", 3 of product "3", no latency and no race window."""
    running_sandbox.reset({"10": 10, "3": 3})
    running_sandbox.switches.update(
        {
            "down": "",
            "latency_ms": 0,
            "race_window_ms": 0,
            "honours_idempotency": False,
            "database_connected": True,
        }
    )
    return running_sandbox


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start scripted servers, and stop them after the test."""
    servers: list[ScriptedServer] = []

    def start(behaviour: Behaviour) -> ScriptedServer:
        servers.append(ScriptedServer(behaviour))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    """Answers without a socket; a request that none was given for fails to connect."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def client() -> InventoryClient:
    return InventoryClient(f"{BASE}/", api_key="secret")


@pytest.fixture
def gateway() -> InventoryClient:
    return InventoryClient(GATEWAY, dialect="gateway")
