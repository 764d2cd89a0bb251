"""The database that is backed up or restored, by one at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo

from orderservice.postgresql import direct

LOCK = 7_020_551_381_962_470_318  # any number, but the same for all that back up or restore


class BackupError(Exception):
    """Why nothing was backed up or restored, in a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Database:
    """How to reach a database: libpq's parameters."""

    parameters: dict[str, str]

    @classmethod
    def configured(cls) -> Database:
        """Return the service's own."""
        return cls(direct.parameters())

    @property
    def argument(self) -> str:
        """The argument by which a program finds the database; anybody may see it.

        Raises BackupError for a secret that a program could be told by no other way.
        """
        secret = {
            option.keyword.decode()
            for option in pq.Conninfo.get_defaults()
            if option.dispchar == b"*"
        }
        if found := (secret - {"password"}) & self.parameters.keys():
            raise BackupError(
                f"{', '.join(sorted(found))} of the database's URL would stand on a command line,"
                " where anybody can read it."
            )
        return "--dbname=" + make_conninfo(
            **{name: value for name, value in self.parameters.items() if name != "password"}
        )

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a program that is to use the database; the password is in it."""
        password = self.parameters.get("password")
        return os.environ | ({"PGPASSWORD": password} if password else {})

    @contextmanager
    def exclusive(self) -> Iterator[psycopg.Connection]:
        """Connect, and let no other backup or restore of this database begin meanwhile.

        Raises BackupError when one is under way, when there is no answer, or behind a pooler.
        """
        try:
            connection = direct.connect(self.parameters)
        except psycopg.OperationalError as exc:
            raise BackupError(f"The database does not answer: {exc}") from exc
        with connection:
            _refuse_a_pooler(connection)
            if not scalar(connection, "SELECT pg_try_advisory_lock(%s)", LOCK):
                raise BackupError(f"Another backup or restore of {place(connection)} is under way.")
            try:
                yield connection
            finally:
                # The server sees later than we that a connection has ended.
                with suppress(psycopg.Error):
                    scalar(connection, "SELECT pg_advisory_unlock(%s)", LOCK)


def place(connection: psycopg.Connection) -> str:
    """Return which database this is, and where, for who has to be sure that it is the one."""
    info = connection.info
    return f"{info.dbname} at {info.host}:{info.port}"


def scalar(connection: psycopg.Connection, statement: LiteralString, *parameters: object) -> Any:
    """Return the first value that a statement gives; None when it gives none."""
    row = connection.execute(statement, parameters or None).fetchone()
    return row[0] if row else None


def _refuse_a_pooler(connection: psycopg.Connection) -> None:
    """A pooler makes a process id up, and neither a lock nor a setting survives it."""
    if scalar(connection, "SELECT pg_backend_pid()") != connection.info.backend_pid:
        raise BackupError(
            "A pooler stands before the database. Let WORKER_DATABASE_URL name the server itself."
        )
