"""PostgreSQL's own programs: which of them to use, and running them."""

from __future__ import annotations

import functools
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from orderservice.backups.database import BackupError
from orderservice.dev.postgres_cluster import LocalPostgresError, find_binaries
from orderservice.environment import BASE_DIR, DEBUG

_LINES, _WIDTH = 8, 300  # of what a program says when it fails
_REPEAT_A_ROW = ("DETAIL:", "CONTEXT:")  # what begins so shows what a row held, lines of it perhaps
_WHERE = (
    "Debian's package is postgresql-client; PG_BINDIR names a folder with other versions"
    " (docs/backups.md)."
)


@dataclass(frozen=True, slots=True)
class Program:
    """One of PostgreSQL's programs, and its major version."""

    path: str
    version: int

    @classmethod
    def find(cls, name: str, *, at_least: int, because: str) -> Program:
        """Find a program; raise BackupError when it is missing, or older than ``at_least``."""
        path = shutil.which(name, path=_folder())
        if path is None:
            where = _folder() or "the PATH"
            raise BackupError(f"There is no {name} in {where}. {_WHERE}")
        program = cls(path, _version(path))
        if program.version < at_least:
            raise BackupError(
                f"{path} is of PostgreSQL {program.version}, and {because} {at_least}. {_WHERE}"
            )
        return program

    def run(
        self, *arguments: str, environment: Mapping[str, str] | None = None, private: bool = False
    ) -> str:
        """Run it to its end; return what it wrote. What it makes is ``private``, if so told.

        Raises BackupError with its own words when it fails.
        """
        done = subprocess.run(
            [self.path, *arguments],
            # A dump has its time in the zone of who made it, and does not say which.
            env={**(os.environ if environment is None else environment), "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            umask=0o077 if private else -1,
            check=False,
        )
        if done.returncode != 0:
            raise BackupError(failed(self.path, done.returncode, done.stderr))
        return done.stdout


def failed(path: str, code: int, said: str) -> str:
    """Return the sentence about a program that failed."""
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"failed with exit {code}"
    name = Path(path).name
    lines = [line[:_WIDTH] for line in _without_rows(name, said)[-_LINES:]]
    return f"{name} {how}: " + ("\n".join(lines) or "it said nothing")


def _without_rows(name: str, said: str) -> list[str]:
    """Return the lines but those of a row: they go on until the program says its name and more."""
    says_more = re.compile(rf"{re.escape(name)}:(?:\S+:\d+:)? \w+: ")
    told, in_row = [], False
    for line in said.strip().splitlines():
        in_row = line.startswith(_REPEAT_A_ROW) or (in_row and not says_more.match(line))
        if not in_row:
            told.append(line)
    return told


def _folder() -> str | None:
    """Return where to look: PG_BINDIR, in development the local server's folder, or the PATH."""
    if settings.PG_BINDIR:
        return str(BASE_DIR / settings.PG_BINDIR)
    if DEBUG:
        with suppress(LocalPostgresError):
            return str(find_binaries())
    return None


@functools.cache
def _version(path: str) -> int:
    try:
        answer = subprocess.run(
            [path, "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as exc:
        raise BackupError(f"{path} does not run: {exc}") from exc
    found = re.search(r"\(PostgreSQL\) (\d+)", answer)
    if found is None:
        raise BackupError(f"{path} is no program of PostgreSQL's: it says {answer.strip()!r}")
    return int(found[1])
