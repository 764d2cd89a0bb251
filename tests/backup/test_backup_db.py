"""``backup_db``: what it writes, what it refuses, and what is left when it fails."""

import json
import os
import signal
import subprocess
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Self
from unittest.mock import patch

import psycopg
import pytest
from django.core.management import CommandError
from django.db import connection
from pytest_django.fixtures import Settings

from orderservice.backups import making
from orderservice.backups.database import Database
from orderservice.backups.folder import checksum_file
from tests.backup.conftest import Programs
from tests.commands.running import run
from tests.factories import order
from tests.processes import MANAGE, ROOT, database_url

ASKED = '[ "$1" = --version ] && exec "$REAL" "$@"'  # for its version, at first
OF_THE_FILE = 'for a in "$@"; do case $a in --file=*) file=${a#--file=};; esac; done;'

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def shop() -> str:
    """The name of the test's database."""
    return str(connection.settings_dict["NAME"])


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def old_backup(folder: Path, shop: str, stamp: str) -> str:
    """Leave a finished backup of long ago; return its name."""
    dump = folder / f"{shop}-{stamp}.dump"
    dump.write_bytes(b"PGDMP")
    checksum_file(dump).touch()
    return dump.name


def test_backup_writes_a_dump_that_nobody_else_reads_with_its_checksum(folder: Path) -> None:
    outcome = run("backup_db", "--to", str(folder), "--json")
    made = json.loads(outcome.out)
    dump = Path(made["file"])
    assert names(folder) == {dump.name, f"{dump.name}.sha256"}
    assert made["size"] == dump.stat().st_size
    assert made["seconds"] > 0
    assert made["deleted"] == []
    assert {oct(file.stat().st_mode & 0o777) for file in folder.iterdir()} == {"0o600"}
    said = subprocess.run(
        ["sha256sum", "--check", f"{dump.name}.sha256"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    assert said.stdout == f"{dump.name}: OK\n"


def test_backup_goes_where_the_environment_says_and_tells_so_in_a_line(
    folder: Path, shop: str, settings: Settings
) -> None:
    with pytest.raises(CommandError, match="Where to"):
        run("backup_db")
    settings.BACKUP_DIR = str(folder)
    (line,) = run("backup_db").out.splitlines()
    assert line.startswith(f"{folder}/{shop}-")
    assert " MB in " in line


def test_backup_deletes_only_what_retention_does_not_keep(folder: Path, shop: str) -> None:
    order()
    oldest, older = (old_backup(folder, shop, f"2020010{day}T000000Z") for day in (1, 2))

    planned = json.loads(
        run("backup_db", "--to", str(folder), "--keep=2", "--dry-run", "--json").out
    )
    assert [Path(file).name for file in planned["to_delete"]] == [oldest]
    assert len(names(folder)) == 4

    made = json.loads(run("backup_db", "--to", str(folder), "--keep", "2", "--json").out)
    assert [Path(file).name for file in made["deleted"]] == [oldest]
    assert names(folder) == {
        name + suffix for name in (older, Path(made["file"]).name) for suffix in ("", ".sha256")
    }


def test_backup_of_a_database_without_orders_lets_nothing_go(folder: Path, shop: str) -> None:
    """It may be a new one, behind the name of what was lost."""
    old = old_backup(folder, shop, "20200101T000000Z")
    run("backup_db", "--to", str(folder), "--keep", "1")
    assert old in names(folder)


def test_backup_twice_in_a_second_makes_two(
    folder: Path, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = iter(("20261126T101530Z", "20261126T101530Z", "20261126T101531Z"))

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.strptime(next(stamps), "%Y%m%dT%H%M%SZ").replace(tzinfo=tz)

    monkeypatch.setattr(making, "datetime", Clock)
    first = old_backup(folder, shop, "20261126T101530Z")
    run("backup_db", "--to", str(folder))
    second = f"{shop}-20261126T101531Z.dump"
    assert names(folder) == {first, f"{first}.sha256", second, f"{second}.sha256"}
    assert (folder / first).read_bytes() == b"PGDMP"


def test_backup_tells_programs_the_password_by_their_environment_alone(
    folder: Path, tmp_path: Path, settings: Settings, programs: Programs
) -> None:
    """And goes past a pooler, to the address that the worker has."""
    settings.WORKER_DATABASE_URL = database_url().replace("@", ":hush%20hush@", 1)
    seen = tmp_path / "seen"
    programs(pg_dump=f'echo "$PGPASSWORD" "$@" >>{seen}; exec "$REAL" "$@"')
    run("backup_db", "--to", str(folder))
    told = seen.read_text().splitlines()[-1]
    assert told.startswith("hush hush --format=custom")
    assert "hush" not in told.removeprefix("hush hush")


@pytest.mark.parametrize(
    ("script", "refusal"),
    [
        ("echo 'pg_dump (PostgreSQL) 14.20 (Debian)'", r"of PostgreSQL 14, and can't back up a"),
        ("echo hello", "is no program of PostgreSQL's"),
    ],
)
def test_backup_by_a_program_that_is_too_old_or_another_is_refused(
    folder: Path, programs: Programs, script: str, refusal: str
) -> None:
    programs(pg_dump=script)
    with pytest.raises(CommandError, match=refusal):
        run("backup_db", "--to", str(folder))


def test_backup_without_pg_dump_says_what_to_install(folder: Path, settings: Settings) -> None:
    settings.PG_BINDIR = str(folder)
    with pytest.raises(CommandError, match=r"no pg_dump in .*postgresql-client"):
        run("backup_db", "--to", str(folder))


def test_backup_beside_another_is_refused(folder: Path) -> None:
    with (
        Database.configured().exclusive(),
        pytest.raises(CommandError, match="Another backup or restore"),
    ):
        run("backup_db", "--to", str(folder))
    run("backup_db", "--to", str(folder))


def test_backup_lets_go_of_its_lock_before_its_connection_ends() -> None:
    """A server sees that end later than we do, and would refuse who comes right after us."""
    with (
        patch.object(psycopg.Connection, "close"),
        Database.configured().exclusive() as first,
    ):
        pass
    with Database.configured().exclusive():
        first.close()


def test_backup_into_no_folder_or_of_another_s_database_is_refused(
    folder: Path, settings: Settings
) -> None:
    with pytest.raises(CommandError, match="There is no folder"):
        run("backup_db", "--to", str(folder / "missing"))
    with pytest.raises(CommandError, match="'0' is not a number of backups"):
        run("backup_db", "--to", str(folder), "--keep", "0")
    settings.WORKER_DATABASE_URL = database_url().rpartition("/")[0] + "/postgres"
    with pytest.raises(CommandError, match="not this service's"):
        run("backup_db", "--to", str(folder))


@pytest.mark.parametrize(
    ("script", "said"),
    [
        # As on a full disk: what is written has an end.
        ('ulimit -f 8; exec "$REAL" "$@"', "pg_dump"),
        ('"$REAL" "$@"; echo no more room >&2; exit 1', "no more room"),
        # It says that all went well, and what it wrote is no dump.
        (f'"$REAL" "$@"; {OF_THE_FILE} : >"$file"', "pg_restore"),
        # So it says, and what it wrote has an end too early, or is damaged behind its contents.
        (f'"$REAL" "$@"; {OF_THE_FILE} truncate -s -300 "$file"', "pg_restore"),
        (
            f'"$REAL" "$@"; {OF_THE_FILE} at=$(($(stat -c %s "$file") - 400));'
            ' head -c 300 /dev/zero | dd of="$file" bs=1 seek=$at conv=notrunc 2>/dev/null',
            "pg_restore",
        ),
    ],
)
def test_backup_that_fails_leaves_the_older_ones_and_nothing_else(
    folder: Path, shop: str, programs: Programs, script: str, said: str
) -> None:
    order()
    older = old_backup(folder, shop, "20200101T000000Z")
    programs(pg_dump=f"{ASKED}; {script}")
    with pytest.raises(CommandError, match=said):
        run("backup_db", "--to", str(folder), "--keep", "1")
    assert names(folder) == {older, f"{older}.sha256"}


def test_backup_holds_its_lock_for_as_long_as_it_takes(
    folder: Path, shop: str, programs: Programs
) -> None:
    """By a connection that does nothing meanwhile, which servers may be told to end."""
    programs(pg_dump=f'{ASKED}; sleep 0.5; exec "$REAL" "$@"')
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {shop} SET idle_session_timeout = '100ms'")
    try:
        run("backup_db", "--to", str(folder))
    finally:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {shop} RESET idle_session_timeout")


def test_backup_whose_lock_is_lost_is_finished_and_says_so(
    folder: Path, shop: str, programs: Programs
) -> None:
    order()
    old = old_backup(folder, shop, "20200101T000000Z")
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database d ON d.oid = database"
        " WHERE locktype = 'advisory' AND d.datname = current_database()"
    )
    programs(
        pg_dump=f'{ASKED}; "$REAL" "$@"; "${{REAL%pg_dump}}psql" -qc "{end}" "{database_url()}"'
    )
    with pytest.raises(CommandError, match=r"\.dump is finished, but older ones stay: "):
        run("backup_db", "--to", str(folder), "--keep", "1")
    (dump,) = {name for name in names(folder) if name.endswith(".dump")} - {old}
    assert f"{dump}.sha256" in names(folder)


def ended(folder: Path, programs: Programs, how: str) -> int:
    """Back up by a process that is ended when its dump is written; return its exit code."""
    programs(pg_dump=f'{ASKED}; "$REAL" "$@"; {how}')
    return subprocess.run(
        [*MANAGE, "backup_db", "--to", str(folder)],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database_url()},
        check=False,
    ).returncode


def test_backup_that_is_terminated_leaves_nothing(folder: Path, programs: Programs) -> None:
    assert ended(folder, programs, "kill -TERM $PPID; exec sleep 60") == 128 + signal.SIGTERM
    assert names(folder) == set()


def test_backup_that_is_killed_leaves_what_the_next_one_removes(
    folder: Path, programs: Programs
) -> None:
    assert ended(folder, programs, "kill -KILL $PPID") == -signal.SIGKILL
    (left,) = names(folder)
    assert left.startswith(".")

    programs()
    dump = Path(json.loads(run("backup_db", "--to", str(folder), "--json").out)["file"])
    assert names(folder) == {dump.name, f"{dump.name}.sha256"}
