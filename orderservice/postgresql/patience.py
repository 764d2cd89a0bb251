"""How long a thread waits for PostgreSQL to answer, and what it does when there is no answer.

The server ends what takes too long, and the kernel finds out that a machine is gone. Neither
helps where the machine is there and its server answers nobody: a disk that stalls, a process that
is frozen, a pooler that is stuck. Each thread would wait, one after the other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import pq
from psycopg.abc import PQGen

from inventory_client.breaker import Breaker

RV = TypeVar("RV")

GRACE = 2.0  # seconds beyond the server's own limit, in which it can say that it was reached
TRY_EVERY = 5.0  # seconds, while a server answers nobody

_STATEMENT_TIMEOUT = re.compile(r"\bstatement_timeout=(\d+)(ms|s|min)?\b")
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0}
_of_this_block: ContextVar[float | None] = ContextVar("patience", default=None)


# Who has waited in vain spares the others: while it is open one thread at a time tries to connect.
breaker = Breaker(failures=1, open_seconds=TRY_EVERY)
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
    """Wait little longer for any answer to this block than the server may take, in seconds."""
    token = _of_this_block.set(seconds + GRACE)
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
        if breaker.wait():
            raise psycopg.OperationalError("the server does not answer")
        if (seconds := limit()) is not None and "connect_timeout" in options:
            options["connect_timeout"] = min(options["connect_timeout"], math.ceil(seconds))
        try:
            connection = super().connect(conninfo, **options)
        except psycopg.errors.ConnectionTimeout:
            breaker.failed()
            raise
        breaker.succeeded()
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
                breaker.failed()
            raise
        breaker.succeeded()
        return answer
