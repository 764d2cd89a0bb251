"""``restore_db`` that fails, or dies, on its way: the database is as it was."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from orders.models import Order
from orderservice.backups import restoring
from orderservice.backups.folder import checksum_file
from tests.backup import contents
from tests.backup.conftest import Programs
from tests.commands.running import run
from tests.factories import order_of
from tests.processes import MANAGE, ROOT, database_url, wait_for

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
    for more in ((), ("--without-checksum",)):  # which is for a dump that has none
        with pytest.raises(CommandError, match=r"is damaged.* restore from another file"):
            run("restore_db", str(dump), "--replace", *more)
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


# An index over it is not built for as long as somebody holds the lock.
SLOW_INDEX = """
CREATE FUNCTION orders_slow(bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql SET lock_timeout = 0
    AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(20); RETURN $1; END $$;
CREATE INDEX orders_order_slow ON orders_order (orders_slow(number));
"""
WAITS = (
    "SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database"
    " WHERE d.datname = current_database() AND locktype = 'advisory' AND NOT granted"
)
TWICE = (
    "CREATE TABLE public.orders_twice (id integer UNIQUE DEFERRABLE INITIALLY DEFERRED);"
    " INSERT INTO public.orders_twice VALUES (1), (1);"
)
UNFIT = (
    "CREATE TABLE public.orders_unfit (note text CHECK (note = ''));"
    " INSERT INTO public.orders_unfit VALUES ('ring' || chr(10) || 'Kim Doe');"
)
PSQL = (
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'psql'"
)


@pytest.fixture
def slow(shop: str, folder: Path) -> Path:
    """A backup whose restore stands at an index until the test is over; an order came since."""
    with connection.cursor() as cursor:
        cursor.execute(SLOW_INDEX)
    order_of(p10=2)
    dump = json.loads(run("backup_db", "--to", str(folder), "--json").out)["file"]
    order_of(p9=1)
    connection.close()
    return Path(dump)


@contextmanager
def at_the_index() -> Iterator[psycopg.Connection]:
    """Let restores get as far as the index, and no further until the end."""
    with psycopg.connect(database_url(), autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(20)")
        yield holder
        holder.execute("SELECT pg_advisory_unlock(20)")
        wait_for(lambda: holder.execute(PSQL).rowcount == 0)


def children(process: subprocess.Popen[bytes]) -> list[str]:
    """Return the processes that a process has started, and that have not ended."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)],
        check=False,
        capture_output=True,
        text=True,
    )
    return listed.stdout.split()


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM])
def test_restore_that_is_ended_while_an_index_is_built_leaves_the_database_as_it_was(
    slow: Path, by: signal.Signals
) -> None:
    """Every statement of the dump is in a pipe by then, and psql may live on to read them."""
    before = contents.held()
    with at_the_index() as holder:
        process = subprocess.Popen(
            [*MANAGE, "restore_db", str(slow), "--replace", "--ignore-connections"],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": database_url()},
        )
        try:
            # pg_restore has ended, and psql waits: it is the only one.
            wait_for(lambda: bool(holder.execute(WAITS).rowcount) and len(children(process)) == 1)
            process.send_signal(by)
            assert process.wait() in (-by, 128 + by)
        finally:
            process.kill()
            process.wait()
    assert contents.held() == before


def test_restore_whose_psql_is_ended_while_an_index_is_built_knows_that_nothing_has_changed(
    slow: Path, programs: Programs
) -> None:
    before = contents.held()
    waits = f'"$REAL" -Atc "{WAITS}" "{database_url()}"'
    programs(
        psql=f'{ASKED}; (until [ -n "$({waits})" ]; do sleep 0.1; done; kill -TERM $$) &'
        ' exec "$REAL" "$@"'
    )
    with at_the_index(), pytest.raises(CommandError, match="ended by SIGTERM") as failed:
        run("restore_db", str(slow), "--replace", "--ignore-connections")
    assert "The database is as it was." in str(failed.value)
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
        (
            {"pg_restore": f'{ASKED}; "$REAL" "$@" | head -c 60000; exit 1'},
            "pg_restore failed.* as it was",
        ),
        (
            {"psql": '[ "$1" = --version ] && exec "$REAL" "$@"; exit 2'},
            "psql failed with exit 2.* as it was",
        ),
        # It executes everything, and nobody hears of it.
        ({"psql": f'{ASKED}; exec "$REAL" "$@" >/dev/null'}, "psql stopped early.* as it was"),
        # It ends early, and says that all went well.
        (
            {"pg_restore": f'{ASKED}; "$REAL" "$@"; echo "\\\\q"'},
            "psql stopped early.* as it was",
        ),
        # The server refuses to commit.
        (
            {"pg_restore": f'{ASKED}; "$REAL" "$@"; echo "{TWICE}"'},
            "psql failed with exit 3.* duplicate key .* as it was",
        ),
        # It refuses a row, which is nobody's to read.
        (
            {"pg_restore": f'{ASKED}; "$REAL" "$@"; echo "{UNFIT}"'},
            "psql failed with exit 3.* violates check .* as it was",
        ),
        ({"psql": "echo 'psql (PostgreSQL) 14.1'"}, "of PostgreSQL 14, and can't read"),
    ],
)
def test_restore_by_a_program_that_fails_leaves_the_database_as_it_was(
    dump: Path, programs: Programs, scripts: dict[str, str], said: str
) -> None:
    before = contents.held()
    programs(**scripts)
    with pytest.raises(CommandError, match=f"(?s){said}") as failed:
        run("restore_db", str(dump), "--replace")
    assert "Kim Doe" not in str(failed.value)
    assert contents.held() == before


def test_restore_whose_vacuum_fails_says_all_that_is_left_to_do(
    dump: Path, programs: Programs
) -> None:
    """It is committed by then, and nothing else tells an operator the TIME."""
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    programs(psql=f'{ASKED}; "$REAL" "$@" && "$REAL" -Atqc "{end}" "{database_url()}"')
    with pytest.raises(CommandError, match="is restored; but what follows failed") as failed:
        run("restore_db", str(dump), "--replace")
    programs()
    done = json.loads(run("restore_db", str(dump), "--replace", "--json").out)
    assert f"made at {datetime.fromisoformat(done['made_at'])}" in str(failed.value)
    said = str(failed.value).splitlines()[-5:]
    migrate = "then: manage.py migrate, of the release that made the backup if that is newer"
    assert said[:2] == ["next: execute VACUUM (ANALYZE)", migrate]
    assert said[2:] == [f"then: {step}" for step in done["next_steps"][1:]]
    assert "--since 20" in said[2]


def test_restore_that_is_ended_while_it_vacuums_has_said_that_all_is_restored(
    dump: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by SIGTERM: who takes the database for what it was lets the worker start."""
    monkeypatch.setattr(restoring, "_tidied", lambda *_: sys.exit(143))
    outcome = run("restore_db", str(dump), "--replace")
    assert (outcome.code, outcome.out) == (143, "")
    assert "is restored, and stays so even if this is ended now" in outcome.err
    assert Order.objects.count() == 1


class Full(StringIO):
    """Where no more can be written to, as a log on a full disk."""

    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_restore_that_can_tell_nobody_that_it_is_done_says_the_next_steps_all_the_same(
    dump: Path,
) -> None:
    """Not that it failed, of which an operator takes the database for what it was."""
    out = StringIO()
    call_command("restore_db", str(dump), "--replace", stdout=out, stderr=Full())
    assert "then: manage.py reconcile_stock --since 20" in out.getvalue()
    assert Order.objects.count() == 1
