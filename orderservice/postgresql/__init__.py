"""Django's own way to PostgreSQL, where it can be cheaper: a connection's health, and its plans.

``direct`` is the way past it.
"""

from typing import TYPE_CHECKING, cast

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper

if TYPE_CHECKING:
    from orderservice.postgresql.base import DatabaseWrapper


def _ours() -> "DatabaseWrapper":
    return cast("DatabaseWrapper", connections[DEFAULT_DB_ALIAS])


def statements() -> int:
    """Return how many statements this thread's connection has executed."""
    return _ours().statements


def prepared() -> CursorWrapper:
    """Return a cursor of this thread's connection, whose statements are planned once by the server.

    For statements that are the same words each time: PostgreSQL takes longer to plan the reading
    of an order than to read it. Where ``DATABASE_PREPARED_STATEMENTS`` is off, as behind an old
    transaction pooler, it is an ordinary one.
    """
    cursor: CursorWrapper = _ours().prepared()
    return cursor
