"""Making a backup: dump, check, name, and only then let older ones go."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from orderservice.backups.archive import read_back
from orderservice.backups.database import BackupError, Database, place, scalar
from orderservice.backups.folder import Backup, Folder, Retention, checksum, unfinished
from orderservice.backups.tools import Program

# pg_dump waits for a migration that has locked a table, but not for one that hangs.
_LOCK_WAIT_MS = 60_000


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that is finished; ``deleted`` are those that retention let go."""

    file: Path
    size: int  # bytes
    seconds: float
    sha256: str
    deleted: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a backup would do; sizes in bytes."""

    file: Path
    pg_dump: str
    database_size: int
    free: int
    to_delete: tuple[Path, ...]


def back_up(path: Path, retention: Retention) -> Made:
    """Write a backup into a folder, and delete what retention does not keep.

    Until it is whole it has another name. Whatever fails, older backups stay and nothing of this
    one does, unless it was finished. A database without orders lets nothing be deleted. Raises
    BackupError, which says so when the backup is finished and what came after it failed.
    """
    database = Database.configured()
    with database.exclusive() as connection:
        folder, pg_dump, pg_restore = _prepare(path, connection)
        folder.sweep()
        started = time.monotonic()
        backup = _unused(folder)
        partial = unfinished(backup.file)
        try:
            pg_dump.run(
                "--format=custom",
                # Counts of calls, which a crash of the server would lose as well.
                "--no-unlogged-table-data",
                f"--lock-wait-timeout={_LOCK_WAIT_MS}",
                "--no-password",
                f"--file={partial}",
                database.argument,
                environment=database.environment,
                private=True,
            )
            read_back(partial, pg_restore)
            digest = checksum(partial)
            folder.finish(backup, digest)
        except OSError as exc:
            raise BackupError(f"The backup could not be written: {exc}") from exc
        finally:
            folder.discard(backup)
        try:
            size = backup.file.stat().st_size
            outdated = _outdated(folder, retention, backup, connection)
            folder.delete(outdated)
        except (OSError, psycopg.Error) as exc:
            raise BackupError(f"{backup.file} is finished, but older ones stay: {exc}") from exc
        return Made(
            file=backup.file,
            size=size,
            seconds=time.monotonic() - started,
            sha256=digest,
            deleted=tuple(each.file for each in outdated),
        )


def plan(path: Path, retention: Retention) -> Plan:
    """Say what `back_up` would do; raise what it would refuse for. Changes nothing."""
    with Database.configured().exclusive() as connection:
        folder, pg_dump, _ = _prepare(path, connection)
        size = scalar(connection, "SELECT pg_database_size(current_database())")
        backup = folder.named(datetime.now(UTC))
        outdated = _outdated(folder, retention, backup, connection)
        return Plan(
            file=backup.file,
            pg_dump=f"{pg_dump.path} of PostgreSQL {pg_dump.version}",
            database_size=size,
            free=shutil.disk_usage(path).free,
            to_delete=tuple(each.file for each in outdated),
        )


def _prepare(path: Path, connection: psycopg.Connection) -> tuple[Folder, Program, Program]:
    """Return the folder and the programs; raise BackupError when one will not do."""
    if scalar(connection, "SELECT to_regclass('public.orders_order')") is None:
        raise BackupError(
            f"The database {place(connection)} is not this service's: it has no orders table."
        )
    server = connection.info.server_version // 10_000
    because = "can't back up a server of PostgreSQL"
    pg_dump = Program.find("pg_dump", at_least=server, because=because)
    pg_restore = Program.find(
        "pg_restore", at_least=pg_dump.version, because="can't check what is written by pg_dump"
    )
    return Folder.of(path, connection.info.dbname), pg_dump, pg_restore


def _unused(folder: Folder) -> Backup:
    """Return a backup of now; waits for the next second when this one has a backup already."""
    while (backup := folder.named(datetime.now(UTC))).file.exists():
        time.sleep(0.05)
    return backup


def _outdated(
    folder: Folder, retention: Retention, newest: Backup, connection: psycopg.Connection
) -> list[Backup]:
    """Return what may go; nothing where there are no orders, for what is kept may have some."""
    has_orders = scalar(connection, "SELECT EXISTS (SELECT FROM public.orders_order)")
    return retention.outdated(folder.finished(), newest) if has_orders else []
