"""gunicorn, started by a test as production starts it, and its answers."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.processes import ROOT, ask, database_url, free_port, stop, wait_for


@dataclass(frozen=True, slots=True)
class Served:
    """A gunicorn that runs: its port, the file that its log goes to, and its first process."""

    port: int
    log: Path
    pid: int

    def signal(self, number: int) -> None:
        """Send gunicorn's first process a signal."""
        os.kill(self.pid, number)


@contextmanager
def served(
    log: Path, *, application: str = "orderservice.wsgi", **variables: str
) -> Iterator[Served]:
    """Run gunicorn on the test's database, in one process unless told otherwise."""
    port = int(variables.get("PORT", 0)) or free_port()
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}"],
            cwd=ROOT,
            env=os.environ
            | {
                "DEBUG": "1",
                "LOG_LEVEL": "INFO",
                "WEB_CONCURRENCY": "1",
                "DATABASE_URL": database_url(),
                "PYTHONWARNINGS": "ignore",
            }
            | variables,
            stderr=stderr,
        )
    try:
        wait_for(lambda: ask(port, "/health")[0] != 0, within=60)
        yield Served(port, log, process.pid)
        assert stop(process, within=45) == 0
        assert b"Logging error" not in log.read_bytes()
    finally:
        process.kill()
        process.wait()
