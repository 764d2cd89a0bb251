"""A PostgreSQL of the checkout's own, for development and tests.

``socket_url`` names it without starting anything; ``ensure_running`` starts it if need be. It
listens on a Unix socket in a folder that only its user may enter, so it asks for no password.

Two kernel locks (``flock``) hold the lifetimes. The kernel drops them however a process ends, so
that neither Ctrl-C nor ``kill -9`` leaves a server or a lock behind:

- ``users.lock``: each process that called ``ensure_running`` shares it until it ends. The keeper
  (``postgres_keeper``) waits until it gets it alone, and stops the server.
- ``server.lock``: held by the keeper, by PostgreSQL and by all its processes, which inherit it.
  It is free exactly when nothing of a server is left, and who gets it may start one.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import errors, sql

from orderservice.dev.postgres_cluster import (
    CHECKOUT,
    DATABASE,
    Cluster,
    LocalPostgresError,
    runnable,
)

_PATIENCE_SECONDS = 60
_LOG_TAIL_LINES = 20
_uses: dict[Path, int] = {}


def socket_url(checkout: Path = CHECKOUT) -> str:
    """Name the database of ``checkout``; starts and creates nothing.

    Raises LocalPostgresError when there are no PostgreSQL binaries of a supported version.
    """
    return Cluster.of(checkout).url()


def ensure_running(checkout: Path = CHECKOUT, *, grace_seconds: float = 3.0) -> str:
    """Start the server of ``checkout`` unless it runs; return its URL once it takes connections.

    It stays for as long as this process lives, and ``grace_seconds`` longer (who starts it says
    how long), so that the next command finds it warm. Creates the database if it is missing. Safe
    to call twice, and from many processes at once: one starts the server, the others wait for it.

    Raises LocalPostgresError, with the end of the server's log, when it does not start.
    """
    cluster = Cluster.of(checkout)
    cluster.make_folders()
    if cluster.state not in _uses:
        _uses[cluster.state] = cluster.share_use()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    started = False
    while True:
        with cluster.server_lock() as lock:
            if lock is not None and not started:
                _start_keeper(cluster, lock, grace_seconds)
                started = True
            elif lock is not None or time.monotonic() > deadline:
                raise LocalPostgresError(f"PostgreSQL did not start.\n{_log_tail(cluster)}")
        if _answers(cluster):
            break
        time.sleep(0.02)
    _create_database(cluster)
    return cluster.url()


def stop(checkout: Path = CHECKOUT, *, immediate: bool = False) -> None:
    """Stop the server of ``checkout``, whoever uses it; return when nothing of it is left.

    ``immediate`` stops it as a crash would: the next start recovers from the write-ahead log.
    Does nothing when no server runs. Raises LocalPostgresError after a minute in vain.
    """
    cluster = Cluster.of(checkout)
    if not cluster.home.exists():
        return
    mode = "immediate" if immediate else "fast"
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        with cluster.server_lock() as lock:
            if lock is not None:
                return
        if time.monotonic() > deadline:
            raise LocalPostgresError(f"PostgreSQL did not stop.\n{_log_tail(cluster)}")
        # Fails while the server is still starting, or is down to its last process: ask again.
        subprocess.run(
            [runnable(cluster.binaries) / "pg_ctl", "stop", "-m", mode, "-D", cluster.data],
            user=cluster.home.stat().st_uid,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        time.sleep(0.02)


def _start_keeper(cluster: Cluster, lock: int, grace_seconds: float) -> None:
    """Start the keeper out of Ctrl-C's reach, in a session of its own; it shares ``lock``."""
    with suppress(FileNotFoundError):
        cluster.log.replace(cluster.log.with_suffix(".previous"))
    arguments = [str(cluster.checkout), str(grace_seconds), str(lock)]
    log = os.open(cluster.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        subprocess.run(
            [sys.executable, "-m", "orderservice.dev.postgres_keeper", *arguments],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock],
            start_new_session=True,
            check=False,
        )
    finally:
        os.close(log)


def _answers(cluster: Cluster) -> bool:
    try:
        psycopg.connect(cluster.url("postgres"), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _create_database(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        query = "SELECT 1 FROM pg_database WHERE datname = %s"
        if connection.execute(query, [DATABASE]).fetchone():
            return
        # Another process that started at the same instant may be first.
        with suppress(errors.DuplicateDatabase, errors.UniqueViolation):
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _log_tail(cluster: Cluster) -> str:
    try:
        lines = cluster.log.read_text(errors="replace").splitlines()
    except OSError as error:
        return f"Its log can't be read: {error}"
    return "\n".join([f"The end of {cluster.log}:", *lines[-_LOG_TAIL_LINES:]])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code, which for ``status`` is 0 running, 3 stopped."""
    parser = argparse.ArgumentParser(
        prog="python -m orderservice.dev.postgres", description="The local PostgreSQL."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="start it unless it runs, and hold it until Ctrl-C")
    commands.add_parser("stop", help="stop it, whoever uses it").add_argument(
        "--immediate", action="store_true", help="as a crash would"
    )
    commands.add_parser("status", help="tell whether it runs, and where its files are")
    commands.add_parser("url", help="name its database")
    commands.add_parser("psql", help="start it unless it runs, and talk to it")
    options = parser.parse_args(arguments)

    cluster = Cluster.of(CHECKOUT)
    match options.command:
        case "run":
            sys.stdout.write(f"{ensure_running(CHECKOUT)}\nCtrl-C ends it.\n")
            sys.stdout.flush()
            with suppress(KeyboardInterrupt):
                signal.pause()
        case "stop":
            stop(CHECKOUT, immediate=options.immediate)
        case "status":
            running = _answers(cluster)
            sys.stdout.write(f"{'running' if running else 'stopped'}: {cluster.state}\n")
            return 0 if running else 3
        case "url":
            sys.stdout.write(f"{cluster.url()}\n")
        case "psql":
            ensure_running(CHECKOUT)
            os.set_inheritable(_uses[cluster.state], True)  # psql is the user from here on
            psql = str(cluster.binaries / "psql")
            os.execv(psql, [psql, cluster.url()])  # noqa: S606 - our own binary
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LocalPostgresError as _error:
        sys.exit(str(_error))
