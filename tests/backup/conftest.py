"""A shop in a database of its own, which may be destroyed and restored."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from orders.models import Order
from orderservice import backups
from orderservice.backups.folder import checksum_file
from orderservice.backups.tools import Program
from tests.backup import databases
from tests.factories import order_of

Programs = Callable[..., None]


@contextmanager
def _at(name: str) -> Iterator[None]:
    """Have Django talk to another database of the same server."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


@pytest.fixture(scope="session")
def migrated(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """A database to copy from: migrated, and empty."""
    folder = tmp_path_factory.mktemp("migrated")
    with django_db_blocker.unblock():
        name = f"{connection.settings_dict['NAME']}_migrated"
        made = backups.back_up(folder, backups.Retention())
        databases.create(name)
        with _at(name):
            backups.restore(made.file, backups.RestoreOptions(skip_numbers=0))
        yield name
        databases.destroy(name)


@pytest.fixture
def shop(committed_db: None, migrated: str) -> Iterator[str]:
    """A migrated database of the test's own, without an order; its name."""
    name = migrated.replace("_migrated", "_shop")
    databases.create(name, template=migrated)
    with _at(name):
        yield name
    databases.destroy(name)


@pytest.fixture(scope="module")
def backed_up(
    migrated: str, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """A database's name, and a backup of it with one order."""
    name = migrated.replace("_migrated", "_backed_up")
    with django_db_blocker.unblock():
        databases.create(name, template=migrated)
        with _at(name):
            order_of(p10=2)
            made = backups.back_up(tmp_path_factory.mktemp("backups"), backups.Retention())
        yield name, made.file
        databases.destroy(name)


@pytest.fixture
def dump(committed_db: None, backed_up: tuple[str, Path], folder: Path) -> Iterator[Path]:
    """A copy of that backup; the database, where tests follow each other, has an order more."""
    name, file = backed_up
    for each in (file, checksum_file(file)):
        shutil.copy(each, folder)
    with _at(name):
        if Order.objects.count() == 1:
            order_of(p9=1)
        yield folder / file.name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "backups"
    path.mkdir()
    return path


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Programs:
    """Let scripts stand in for some of PostgreSQL's programs, which they call as ``$REAL``."""
    real = {
        name: Program.find(name, at_least=15, because="").path
        for name in ("pg_dump", "pg_restore", "psql")
    }
    serial = itertools.count()  # a program's version is asked once

    def stand_in(**scripts: str) -> None:
        bin_ = tmp_path / f"bin{next(serial)}"
        bin_.mkdir()
        for name, path in real.items():
            script = scripts.get(name, 'exec "$REAL" "$@"')
            (bin_ / name).write_text(f"#!/bin/sh\nREAL={path}\n{script}\n")
            (bin_ / name).chmod(0o700)
        settings.PG_BINDIR = str(bin_)
        monkeypatch.setenv("PG_BINDIR", str(bin_))  # for processes

    return stand_in
