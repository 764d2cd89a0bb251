"""SIGTERM ends a process of ours that is the first of its container, whatever it is doing."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests.processes import MANAGE, ROOT, database_url, wait_for

AS_THE_FIRST = ["unshare", "--pid", "--fork", "--kill-child"]
if os.geteuid() != 0:  # root need not become it, and would lose its rights to others' files
    AS_THE_FIRST += ["--user", "--map-root-user"]


@pytest.fixture(scope="module", autouse=True)
def _namespaces() -> None:
    try:
        subprocess.run([*AS_THE_FIRST, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        assert "GITHUB_ACTIONS" not in os.environ, "the workflow should see to it"
        pytest.skip("this machine gives nobody a process namespace of their own")


@contextmanager
def first(
    command: Sequence[str], **variables: str
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run a command as PID 1 of a namespace; yield what started it, and its PID out here."""
    process = subprocess.Popen(
        [*AS_THE_FIRST, *command],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database_url()} | variables,
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    try:
        wait_for(lambda: bool(children.read_text().split()))
        yield process, int(children.read_text().split()[0])
    finally:
        process.kill()
        process.wait()


def handles(number: int, pid: int) -> bool:
    """Tell whether a process has a handler for a signal; its loader has none."""
    [caught] = [
        line.split()[1]
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("SigCgt")
    ]
    return bool(int(caught, 16) & 1 << number - 1)


@pytest.mark.usefixtures("committed_db")
def test_migrate_that_waits_for_a_lock_ends_at_sigterm() -> None:
    with psycopg.connect(database_url()) as other:
        other.execute("LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE")
        with first([*MANAGE, "migrate", "--no-input"]) as (process, pid):
            wait_for(is_waited_for)
            os.kill(pid, signal.SIGTERM)
            assert process.wait(timeout=15) == 143


def is_waited_for() -> bool:
    """Tell whether somebody waits for the table of migrations."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'django_migrations'::regclass"
        )
        return cursor.fetchone() is not None


@pytest.mark.usefixtures("committed_db")
@pytest.mark.parametrize(
    "command", [[*MANAGE, "worker"], [MANAGE[0], "-m", "gunicorn", "orderservice.wsgi"]]
)
def test_process_that_starts_ends_at_sigterm(command: list[str]) -> None:
    """As soon as our code runs, and long before the worker, or gunicorn, listens to signals."""
    with first(command, PORT="1") as (process, pid):
        wait_for(lambda: handles(signal.SIGTERM, pid))
        os.kill(pid, signal.SIGTERM)
        assert process.wait(timeout=15) == 143
