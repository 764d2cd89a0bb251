"""``restore_db`` that fails, or dies, on its way: the database is as it was."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from django.core.management import CommandError
from django.db import connection

from orderservice.backups.folder import checksum_file
from tests.backup import contents
from tests.backup.conftest import Programs
from tests.commands.running import run
from tests.processes import MANAGE, ROOT, database_url

pytestmark = pytest.mark.xdist_group("backup")  # one copy of the migrated database

ASKED = '[ "$1" = --list ] || [ "$1" = --version ] && exec "$REAL" "$@"'


def damaged(dump: Path, kind: str) -> str:
    """Damage a dump in one way; return what is said of it."""
    whole = dump.read_bytes()
    match kind:
        case "truncated":
            dump.write_bytes(whole[: len(whole) * 3 // 4])
            return "pg_restore failed"
        case "truncated at its end":
            dump.write_bytes(whole[:-300])
            return "pg_restore failed"
        case "of another format":
            dump.write_bytes(b"-- PostgreSQL database dump\n")
            return "no dump in PostgreSQL's custom format"
        case "of a newer format":
            dump.write_bytes(whole[:6] + b"\x63" + whole[7:])
            return "newer than this pg_restore"
        case "of a newer server":
            version = f"{connection.cursor().connection.info.server_version // 10_000}.".encode()
            dump.write_bytes(whole.replace(version, b"99.", 1))  # the server's is the first
            return "from a server of PostgreSQL 99"
    raise AssertionError(kind)


@pytest.mark.parametrize(
    "kind",
    [
        "truncated",
        "truncated at its end",
        "of another format",
        "of a newer format",
        "of a newer server",
    ],
)
def test_restore_of_a_damaged_or_unfit_dump_leaves_the_database_as_it_was(
    dump: Path, kind: str
) -> None:
    before, said = contents.held(), damaged(dump, kind)
    connection.close()
    with pytest.raises(CommandError, match="is damaged, or is another file"):
        run("restore_db", str(dump), "--replace")
    checksum_file(dump).unlink()
    with pytest.raises(CommandError, match=r"has no .* beside it"):
        run("restore_db", str(dump), "--replace")
    for more in ((), ("--dry-run",)):
        with pytest.raises(CommandError, match=said):
            run("restore_db", str(dump), "--replace", "--without-checksum", *more)
    assert contents.held() == before


def test_restore_that_is_killed_in_the_middle_leaves_the_database_as_it_was(
    dump: Path, programs: Programs, tmp_path: Path
) -> None:
    before, seen = contents.held(), tmp_path / "seen"
    # $PPID is manage.py. It is killed once psql, in its transaction, has dropped what there was:
    # it holds a lock on each of some hundred tables and indexes.
    dropped = (
        "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
        " WHERE d.datname = current_database() AND mode = 'AccessExclusiveLock' AND granted"
        " HAVING count(*) > 100"
    )
    programs(
        pg_restore=f'{ASKED}; "$REAL" "$@" | head -c 60000; exec >&-; tries=0;'
        f" until [ -s {seen} ] || [ $((tries += 1)) -gt 100 ]; do sleep 0.1;"
        f' "${{REAL%pg_restore}}psql" -Atc "{dropped}" "{database_url()}" >{seen}; done;'
        " kill -9 $PPID"
    )
    killed = subprocess.run(
        [*MANAGE, "restore_db", str(dump), "--replace"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database_url()},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert int(seen.read_text()) > 100
    assert contents.held() == before


def test_restore_whose_psql_is_killed_as_it_commits_claims_nothing(
    dump: Path, programs: Programs
) -> None:
    before = contents.held()
    programs(psql=f'{ASKED}; "$REAL" "$@"; kill -9 $$')
    with pytest.raises(CommandError, match="ended by SIGKILL") as failed:
        run("restore_db", str(dump), "--replace")
    assert "may be as it was, or restored" in str(failed.value)
    assert contents.held() != before


@pytest.mark.parametrize(
    ("scripts", "said"),
    [
        ({"pg_restore": f'{ASKED}; "$REAL" "$@" | head -c 60000; exit 1'}, "pg_restore failed"),
        ({"psql": '[ "$1" = --version ] && exec "$REAL" "$@"; exit 2'}, "psql failed with exit 2"),
        ({"psql": "echo 'psql (PostgreSQL) 14.1'"}, "of PostgreSQL 14, and can't read"),
    ],
)
def test_restore_by_a_program_that_fails_leaves_the_database_as_it_was(
    dump: Path, programs: Programs, scripts: dict[str, str], said: str
) -> None:
    before = contents.held()
    programs(**scripts)
    with pytest.raises(CommandError, match=said):
        run("restore_db", str(dump), "--replace")
    assert contents.held() == before
