"""The database backend: ``ENGINE = "orderservice.postgresql"``."""

import select
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any, Self

import psycopg
from django.db.backends.postgresql import base
from django.db.backends.postgresql.operations import DatabaseOperations
from psycopg.errors import FeatureNotSupported

from orderservice.postgresql.patience import Connection, breaker

ASK_AFTER = 30.0  # seconds that a connection has not been looked at


class PreparingCursor(psycopg.Cursor[Any]):
    """Has the server plan a statement once a connection, and not at every execution.

    Rows come as PostgreSQL has them, not as text: psycopg reads moments in C then, and would ask
    Django for each otherwise.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        """Execute as psycopg does; anew when a migration has changed what a prepared one returns.

        In a transaction there is no second time: it has failed, and the next one will do.
        """
        options.setdefault("binary", True)
        is_alone = self.connection.autocommit
        try:
            return super().execute(query, params, **options)
        except FeatureNotSupported:  # "cached plan must not change result type"
            if not is_alone:
                raise
            self.connection.execute("DEALLOCATE ALL")  # which psycopg takes note of
            return super().execute(query, params, **options)


class Operations(DatabaseOperations):
    """Tells what a prepared statement was, for whoever debugs."""

    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> Any:
        """Return a statement with its values, as Django shows it."""
        if isinstance(cursor, PreparingCursor):
            return str(self.compose_sql(sql, params))
        return super().last_executed_query(cursor, sql, params)


def _count(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    context["connection"].statements += 1
    return execute(sql, params, many, context)


def _driver() -> ModuleType:
    """Return psycopg as Django asks it for connections, and knows its errors."""
    driver = ModuleType(psycopg.__name__)
    vars(driver).update(vars(psycopg), connect=Connection.connect)
    return driver


class DatabaseWrapper(base.DatabaseWrapper):
    """Looks at a connection before each request without asking the server, and can prepare.

    Its connections are given up when the server does not answer (`patience`).

    Django's health check is a statement, a third of what it costs to read an order. But a server
    that ends a connection says so at once, and the socket has that to be read. Who says nothing is
    asked all the same: after an error, and after a while in which a middlebox or a machine may
    have vanished without a word.
    """

    ops_class = Operations
    Database = _driver()
    _looked_at = 0.0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.statements = 0  # that were executed; a request's log line says how many were its own
        self.execute_wrappers.append(_count)

    def is_usable(self) -> bool:
        """Tell whether the connection works; none does while the server answers nobody."""
        if breaker.is_open:
            return False
        last, self._looked_at = self._looked_at, time.monotonic()
        if self.errors_occurred or self._looked_at - last > ASK_AFTER or self._has_been_told():
            return super().is_usable()
        return self.connection is not None

    def prepared(self) -> Any:
        """Return a cursor for statements of fixed words, whose values are parameters."""
        if self.settings_dict["OPTIONS"].get("prepare_threshold") is None:
            return self.cursor()
        self.close_if_health_check_failed()
        self.ensure_connection()
        with self.wrap_database_errors:
            cursor = PreparingCursor(self.connection)
            return self._prepare_cursor(cursor)  # type: ignore[attr-defined] # not in the stubs

    def _has_been_told(self) -> bool:
        """Tell whether the server has sent something, or has gone."""
        if self.connection is None or self.connection.closed:
            return True
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return bool(poll.poll(0))
