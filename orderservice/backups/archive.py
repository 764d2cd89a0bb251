"""What a dump says of itself, before anything is done with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orderservice.backups.database import BackupError
from orderservice.backups.tools import Program

_MAGIC = b"PGDMP"
_ORDERS = re.compile(r" TABLE DATA public orders_order ")
_TABLES = re.compile(r"^\d+; \d+ \d+ TABLE public (\S+) ", re.MULTILINE)
# What is this service's stands in ``public``; that schema is there, and no other is touched. An
# extension's comment is its owner's to change, on a managed server often somebody else.
_RESTORED = re.compile(r"^(?:;|\d+; \d+ \d+ (?:EXTENSION - |(?!PUBLICATION)[A-Z ]+ public ))")
_OTHER_SCHEMAS = re.compile(r"^\d+; \d+ \d+ SCHEMA - (?!public )(.+) \S+$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Archive:
    """A dump of this service's database."""

    file: Path
    made_at: datetime
    server: int  # the major version of the server that it is from
    pg_dump: int
    tables: frozenset[str]
    contents: str  # what of it to restore, as pg_restore takes it
    other_schemas: tuple[str, ...]  # in which an extension may be

    @classmethod
    def read(cls, file: Path, pg_restore: Program) -> Archive:
        """Read a dump's table of contents; raise BackupError when it is none of ours."""
        try:
            with file.open("rb") as content:
                magic = content.read(len(_MAGIC))
        except OSError as exc:
            raise BackupError(f"{file} can't be read: {exc}") from exc
        if magic != _MAGIC:
            raise BackupError(f"{file} is no dump in PostgreSQL's custom format.")
        try:
            listed = pg_restore.run("--list", str(file))
        except BackupError as exc:
            raise BackupError(
                f"{exc}\nIf it speaks of a version, the dump is newer than this pg_restore, which"
                f" is of PostgreSQL {pg_restore.version}: let PG_BINDIR name newer programs."
            ) from exc
        if not _ORDERS.search(listed):
            raise BackupError(f"{file} is a dump of another database: it has no orders.")
        return cls(
            file=file,
            made_at=datetime.fromisoformat(
                _said(listed, r"Archive created at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")
            ).replace(tzinfo=UTC),
            server=int(_said(listed, r"Dumped from database version: (\d+)")),
            pg_dump=int(_said(listed, r"Dumped by pg_dump version: (\d+)")),
            tables=frozenset(_TABLES.findall(listed)),
            contents="".join(
                line if _RESTORED.match(line) else f";{line}"
                for line in listed.splitlines(keepends=True)
            ),
            other_schemas=tuple(_OTHER_SCHEMAS.findall(listed)),
        )


def read_back(file: Path, pg_restore: Program) -> None:
    """Have all of a dump read and unpacked; raise BackupError when that fails somewhere.

    Its table of contents stands at the front, and says nothing of what comes after it.
    """
    pg_restore.run("--file=/dev/null", str(file))


def _said(listed: str, pattern: str) -> str:
    found = re.search(pattern, listed)
    if found is None:
        raise BackupError(f"The dump's header is not understood: it lacks {pattern!r}")
    return found[1].strip()
