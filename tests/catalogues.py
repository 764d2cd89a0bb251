"""A catalogue for tests: a sandbox of its own, so that it can fail while the inventory does not."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import prices


@pytest.fixture(scope="session")
def catalogue_server() -> Iterator[Sandbox]:
    """One sandbox for the whole run."""
    with Sandbox(stock={}, prices={}) as sandbox:
        yield sandbox


@pytest.fixture
def catalogue(catalogue_server: Sandbox, settings: Settings) -> Iterator[Sandbox]:
    """A catalogue that the settings point at, which knows no product yet."""
    catalogue_server.reset({})
    catalogue_server.switches.update({"down": "", "latency_ms": 0})
    settings.CATALOG_SERVICE_URL = catalogue_server.catalogue_url
    settings.CATALOG_TIMEOUT_SECONDS = 1.0
    prices.client.cache_clear()
    yield catalogue_server
    prices.client.cache_clear()
