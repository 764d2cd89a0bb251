"""gunicorn, started by a test as production starts it, and its answers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.processes import gunicorn, stop


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
    """Run gunicorn on the test's database, and see that it ends well when it is told to."""
    variables = {"LOG_LEVEL": "INFO"} | variables
    with gunicorn(variables, application=application, log=log) as (process, port):
        yield Served(port, log, process.pid)
        assert stop(process, within=45) == 0
    assert b"Logging error" not in log.read_bytes()
