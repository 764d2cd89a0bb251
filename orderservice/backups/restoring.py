"""Restoring a backup: what is looked at before, what is done, and what is left to do."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import LiteralString

import psycopg
from django.conf import settings
from django.db import DatabaseError
from django.db import connection as django_connection
from psycopg import sql
from psycopg.errors import UndefinedTable

from orderservice import migrations, redaction
from orderservice.backups.archive import Archive, read_back
from orderservice.backups.database import BackupError, Database, place, scalar
from orderservice.backups.emptying import emptying, some
from orderservice.backups.folder import verify
from orderservice.backups.loading import load
from orderservice.backups.next_steps import next_steps
from orderservice.backups.tools import Program

LEAVING = 3.0  # seconds that processes which are ending get to close their connections
_OTHERS = """
SELECT coalesce(nullif(application_name, ''), usename, 'unknown') FROM pg_stat_activity
 WHERE datname = current_database() AND pid NOT IN (pg_backend_pid(), %s) AND usesysid IS NOT NULL
   AND coalesce(backend_type, 'client backend') = 'client backend'
"""
# What has been loaded. What another service has beside it may be large, or locked for a while.
_LOADED = """
SELECT relname FROM pg_class
 WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'm') ORDER BY relname
"""
_NEXT_NUMBER = """
SELECT coalesce(pg_sequence_last_value(seqrelid::regclass), seqstart - 1) + 1 FROM pg_sequence
 WHERE seqrelid = pg_get_serial_sequence('public.orders_order', 'number')::regclass
"""
_NAME_ONE = "For a restore let both name the database that is to be restored."


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """What a restore may do that it would otherwise refuse."""

    replace: bool = False
    ignore_connections: bool = False
    without_checksum: bool = False
    skip_numbers: int = 10_000


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the database holds before a restore, and which it is."""

    place: str
    orders: int
    accounts: int
    unknown: tuple[str, ...] = ()  # tables that are called as ours are, and no release's we know

    def __str__(self) -> str:
        held = f"{self.orders} orders and {self.accounts} accounts"
        if not self.unknown:
            return held
        return f"{held}, and {some(self.unknown)}, which the backup does not have"


@dataclass(frozen=True, slots=True)
class Restored:
    """A restore that has been done, and what the schema lacks."""

    archive: Archive
    replaced: Holdings
    orders: int
    next_number: int
    seconds: float
    tidying_seconds: float
    to_migrate: int
    unknown_migrations: int


@dataclass(frozen=True, slots=True)
class _Ready:
    """A restore that nothing speaks against."""

    database: Database
    connection: psycopg.Connection
    archive: Archive
    holdings: Holdings
    emptying: str
    pg_restore: Program
    psql: Program

    @property
    def server(self) -> int:
        return self.connection.info.server_version // 10_000


def inspect(file: Path, options: RestoreOptions) -> tuple[Archive, Holdings]:
    """Return what would replace what; raise what `restore` would refuse for. Changes nothing."""
    with _ready(file, options) as ready:
        read_back(file, ready.pg_restore)
        return ready.archive, ready.holdings


def restore(
    file: Path, options: RestoreOptions, *, on_restored: Callable[[Archive], None] = lambda _: None
) -> Restored:
    """Put a backup in the place of what the database holds, whole or not at all.

    ``on_restored`` is called as soon as it is there. Afterwards the tables are vacuumed and
    analyzed, which a death leaves to the server's own vacuum. Raises BackupError, which says so
    when the database is, or may be, no more as it was.
    """
    with _ready(file, options) as ready:
        started = time.monotonic()
        load(
            ready.archive,
            ready.database,
            pg_restore=ready.pg_restore,
            psql=ready.psql,
            server=ready.server,
            emptying=ready.emptying,
            replace=options.replace,
            skip_numbers=options.skip_numbers,
        )
        on_restored(ready.archive)
        try:
            return _tidied(ready, time.monotonic() - started)
        except (psycopg.Error, DatabaseError) as exc:
            migrate = "manage.py migrate, of the release that made the backup if that is newer"
            steps = "\nthen: ".join([migrate, *next_steps(ready.archive.made_at)])
            raise BackupError(
                f"The backup, made at {ready.archive.made_at}, is restored; but what follows"
                f" failed: {redaction.told(exc)}\nnext: execute VACUUM (ANALYZE)\nthen: {steps}"
            ) from exc


def _tidied(ready: _Ready, seconds: float) -> Restored:
    """Vacuum and analyze what has been loaded, and see what it is."""
    started = time.monotonic()
    tables = [sql.Identifier("public", name) for (name,) in ready.connection.execute(_LOADED)]
    # Also marks the pages as visible to all, for index-only scans.
    ready.connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.SQL(", ").join(tables)))
    tidied = time.monotonic()
    return Restored(
        archive=ready.archive,
        replaced=ready.holdings,
        orders=scalar(ready.connection, "SELECT count(*) FROM public.orders_order"),
        next_number=scalar(ready.connection, _NEXT_NUMBER),
        seconds=seconds,
        tidying_seconds=tidied - started,
        to_migrate=migrations.missing(),
        unknown_migrations=migrations.unknown(),
    )


@contextmanager
def _ready(file: Path, options: RestoreOptions) -> Iterator[_Ready]:
    """Look at all that could speak against a restore, the cheapest first; raise BackupError."""
    if not file.is_file():
        raise BackupError(f"There is no file {file}.")
    database = Database.configured()
    django_connection.close()  # or we would be somebody else who uses the database
    with database.exclusive() as connection:
        djangos = _find_through_django(connection)
        server = connection.info.server_version // 10_000
        because = "can't restore on a server of PostgreSQL"
        pg_restore = Program.find("pg_restore", at_least=server, because=because)
        psql = Program.find(
            "psql", at_least=pg_restore.version, because="can't read what is written by pg_restore"
        )
        holdings = _holdings(connection)
        if (holdings.orders or holdings.accounts) and not options.replace:
            raise BackupError(
                f"The database {holdings.place} has {holdings}. --replace puts the backup in their"
                " place, and they are lost."
            )
        if not options.ignore_connections and (others := _others(connection, djangos)):
            raise BackupError(
                f"{len(others)} others are connected to {holdings.place}"
                f" ({', '.join(sorted(set(others)))}). Stop web, worker and whatever else uses it;"
                " --ignore-connections does not wait for that."
            )
        verify(file, required=not options.without_checksum)
        archive = Archive.read(file, pg_restore)
        if archive.server > server:
            raise BackupError(
                f"{file.name} is from a server of PostgreSQL {archive.server}, and this one is of"
                f" {server}: a dump can go to the same version or a newer one."
            )
        emptied = emptying(connection, archive)
        holdings = replace(holdings, unknown=emptied.unknown)
        if emptied.unknown and not options.replace:
            raise BackupError(
                f"{holdings.place} has {some(emptied.unknown)}, which neither the backup nor this"
                " release knows: a newer release's, or somebody else's. --replace drops it, and it"
                " is lost; else move it to another schema (ALTER TABLE … SET SCHEMA …)."
            )
        yield _Ready(
            database,
            connection,
            archive,
            holdings,
            emptied.statements,
            pg_restore,
            psql,
        )


def _find_through_django(connection: psycopg.Connection) -> int:
    """Return which process of the server Django's own connection has led to.

    Raises BackupError unless that is to the database that is to be restored, which two variables
    may name: a pooler's address and the server's are of one database when a lock that is held here
    is held there, too.
    """
    if not settings.WORKER_DATABASE_URL:
        return 0
    key, here = secrets.randbits(63), place(connection)
    scalar(connection, "SELECT pg_advisory_lock(%s)", key)
    try:
        with django_connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s), pg_backend_pid()", [key])
            is_another, process = cursor.fetchone()
    except DatabaseError as exc:
        raise BackupError(
            f"WORKER_DATABASE_URL names {here}. Whether DATABASE_URL names it, too, nobody can"
            f" tell, for that does not answer: {exc}\n{_NAME_ONE}"
        ) from exc
    finally:
        django_connection.close()
    if is_another:
        at = django_connection.settings_dict
        raise BackupError(
            f"WORKER_DATABASE_URL names {here}, and DATABASE_URL another database, {at['NAME']} at"
            f" {at['HOST']}:{at['PORT']}. {_NAME_ONE}"
        )
    return int(process)


def _holdings(connection: psycopg.Connection) -> Holdings:
    """Count what would be lost."""
    return Holdings(
        place(connection),
        orders=_count(connection, "SELECT count(*) FROM public.orders_order"),
        accounts=_count(connection, "SELECT count(*) FROM public.orders_user"),
    )


def _count(connection: psycopg.Connection, statement: LiteralString) -> int:
    """Count rows; none where there is no such table."""
    with suppress(UndefinedTable):
        return int(scalar(connection, statement))
    return 0


def _others(connection: psycopg.Connection, djangos: int) -> list[str]:
    """Return the names of the others who are connected, once those who are leaving have left.

    Left out is the process that Django has been led to, which a pooler keeps.
    """
    deadline = time.monotonic() + LEAVING
    while True:
        found = [str(name) for (name,) in connection.execute(_OTHERS, [djangos])]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.1)
