"""Processes that use the local PostgreSQL, and a view of the servers that run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import psycopg

from orderservice.dev import postgres_cluster
from orderservice.dev.postgres_cluster import Cluster

GRACE_SECONDS = 0.3
IMPORTS = os.pathsep.join(map(str, (postgres_cluster.CHECKOUT, Path(psycopg.__file__).parents[1])))
USE = """
import sys
from pathlib import Path
from orderservice.dev.postgres import LocalPostgresError, ensure_running
try:
    print(ensure_running(Path(sys.argv[1]), grace_seconds=float(sys.argv[2])), flush=True)
except LocalPostgresError as error:
    sys.exit(str(error))
sys.stdin.read()
"""


class User:
    """A process that uses the server of ``checkout`` until it is told to leave, or killed."""

    all: ClassVar[list[User]] = []

    def __init__(
        self, checkout: Path, *, python: str = sys.executable, uid: int | None = None
    ) -> None:
        self.process: subprocess.Popen[str] = subprocess.Popen(
            [python, "-c", USE, str(checkout), str(GRACE_SECONDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            env={**os.environ, "PYTHONPATH": IMPORTS},
            user=uid,
            start_new_session=True,  # a terminal's foreground job, as far as Ctrl-C goes
        )
        self.all.append(self)

    @property
    def url(self) -> str:
        """The URL, once the server answers this user."""
        assert self.process.stdout is not None
        line: str = self.process.stdout.readline()
        assert line, self.leave()
        return line.strip()

    def leave(self) -> str:
        """End the process in peace; return what it complained of."""
        complaint: str = self.process.communicate()[1]
        return complaint

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def postmasters(cluster: Cluster) -> list[int]:
    """Return the process ids of all servers that run on the cluster's data directory."""
    return _processes(f"postgres -D {cluster.data} ")


def keeper(cluster: Cluster) -> int:
    [found] = _processes(f"postgres_keeper {cluster.checkout} ")
    return found


def _processes(command: str) -> list[int]:
    listing = subprocess.run(["ps", "-ww", "-eo", "pid,args"], capture_output=True, text=True)
    return [int(line.split()[0]) for line in listing.stdout.splitlines() if command in f"{line} "]


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_gone(cluster: Cluster) -> bool:
    with cluster.server_lock() as lock:
        return lock is not None and postmasters(cluster) == []


def remove(cluster: Cluster) -> None:
    assert eventually(lambda: is_gone(cluster))
    shutil.rmtree(cluster.state)
    shutil.rmtree(cluster.sockets, ignore_errors=True)
