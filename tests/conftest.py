"""What most tests need: a database, an inventory service on a socket, and actors."""

from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders.queries import newest
from orders.stock import inventory as inventory_module
from orderservice.dev import postgres
from tests import emptying

pytest_plugins = ["tests.catalogues"]

django_settings.PASSWORD_HASHERS = ["tests.hashing.QuickHasher"]
emptying.install()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to run side by side what must not be: pytest-xdist once grouped nothing, unnoticed."""
    if getattr(session.config.option, "loadgroup", False):
        for item in session.items:
            if item.get_closest_marker("xdist_group") and "@" not in item.nodeid:
                raise pytest.UsageError(f"{item.nodeid} is not kept to its group by pytest-xdist")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Start the local PostgreSQL before Django asks for a test database."""
    if django_settings.USES_LOCAL_POSTGRES:
        postgres.ensure_running()


@pytest.fixture
def committed_db(transactional_db: None) -> None:
    """A database whose transactions really commit; it is emptied after the test."""


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what the planner expected, and what was counted, of another test's orders."""
    monkeypatch.setattr(newest, "_expected", {})
    cache.clear()


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[Sandbox]:
    """One inventory sandbox for the whole run."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_server: Sandbox, settings: Settings) -> Iterator[Sandbox]:
    """A local inventory service without stock, faults or latency, that the settings point at."""
    sandbox_server.reset({})
    sandbox_server.switches.update(
        {
            "down": "",
            "latency_ms": 0,
            "race_window_ms": 0,
            "honours_idempotency": False,
            "database_connected": True,
        }
    )
    settings.INVENTORY_SERVICE_URL = sandbox_server.url
    inventory_module.client.cache_clear()
    yield sandbox_server
    inventory_module.client.cache_clear()
