"""How long a thread waits for PostgreSQL to answer, and what it does when there is no answer.

The server ends what takes too long, and the kernel finds out that a machine is gone. Neither
helps where the machine is there and its server answers nobody: a disk that stalls, a process that
is frozen, a pooler that is stuck. Each thread would wait, one after the other.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import pq
from psycopg.abc import PQGen

RV = TypeVar("RV")

GRACE = 2.0  # seconds beyond the server's own limit, in which it can say that it was reached
TRY_EVERY = 5.0  # seconds, while a server answers nobody

_STATEMENT_TIMEOUT = re.compile(r"\bstatement_timeout=(\d+)(ms|s|min)?\b")
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0}
_of_this_block: ContextVar[float | None] = ContextVar("patience", default=None)


class Silence:
    """What this process knows of a server that did not answer: one thread at a time tries again."""

    def __init__(self) -> None:
        self._until: float | None = None
        self._lock = Lock()

    def begin(self) -> None:
        """Somebody has waited in vain."""
        self._until = time.monotonic() + TRY_EVERY

    def end(self) -> None:
        """Somebody was answered."""
        self._until = None

    @property
    def lasts(self) -> bool:
        """Whether nobody has been answered since somebody waited in vain."""
        return self._until is not None

    def may_try(self) -> bool:
        """Tell whether to connect: always, or in a silence every `TRY_EVERY` seconds."""
        with self._lock:
            if self._until is not None and time.monotonic() < self._until:
                return False
            if self._until is not None:
                self.begin()
            return True


silence = Silence()
_usual: float | None = None


def give_up_after_the_server() -> None:
    """Have this process's threads wait little longer for any answer than the server would take.

    That is ``statement_timeout``; where the connection's options have none, they wait. For
    processes that serve. A worker and the commands wait: nobody waits for them.
    """
    global _usual
    options = connections[DEFAULT_DB_ALIAS].settings_dict["OPTIONS"].get("options") or ""
    found = _STATEMENT_TIMEOUT.search(options)
    seconds = int(found[1]) * _UNITS[found[2] or "ms"] if found else 0.0
    _usual = seconds + GRACE if seconds else None


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Wait no longer than that for any answer to this block."""
    token = _of_this_block.set(seconds)
    try:
        yield
    finally:
        _of_this_block.reset(token)


def limit() -> float | None:
    """Return for how many seconds an answer is waited for here; None as long as it takes."""
    return _usual if (here := _of_this_block.get()) is None else here


class Connection(psycopg.Connection[Any]):
    """A connection that is given up when no answer comes in time."""

    @classmethod
    def connect(cls, conninfo: str = "", **options: Any) -> Connection:
        """Connect as psycopg does; at once refused while the server answers nobody.

        Raises psycopg.OperationalError.
        """
        if not silence.may_try():
            raise psycopg.OperationalError("the server does not answer")
        if (seconds := limit()) is not None and "connect_timeout" in options:
            # Of less than two libpq makes two.
            options["connect_timeout"] = min(options["connect_timeout"], max(2, math.ceil(seconds)))
        try:
            connection = super().connect(conninfo, **options)
        except psycopg.errors.ConnectionTimeout:
            silence.begin()
            raise
        silence.end()
        return connection

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for an answer as psycopg does, which sends all that it sends through here.

        Raises psycopg.OperationalError when none comes in time. What the server does then, nobody
        knows: as after a connection that broke.
        """
        try:
            answer = super().wait(gen, interval, limit() if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == pq.TransactionStatus.ACTIVE:  # not even an error
                self.pgconn.finish()
                silence.begin()
            raise
        if silence.lasts:
            silence.end()
        return answer
