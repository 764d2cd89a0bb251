"""The service's database, reached past any pooler, for what a pooler does not let through.

A setting of a connection, a lock that is held for long, and PostgreSQL's own programs.
"""

from collections.abc import Mapping
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection as django_connection
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

_NOT_FOR_PROGRAMS = ("options", "client_encoding")
_TERMS = {
    # As long as it takes; nothing of it holds up who reads or writes rows. The connection may be
    # idle while a program works.
    "options": "-c statement_timeout=0 -c lock_timeout=60s -c idle_session_timeout=0",
    # No firewall is to forget it meanwhile.
    "keepalives_idle": "60",
}


def parameters() -> dict[str, str]:
    """Return libpq's parameters: of WORKER_DATABASE_URL, which passes no pooler, or the usual."""
    given: dict[str, Any]
    if settings.WORKER_DATABASE_URL:
        given = conninfo_to_dict(settings.WORKER_DATABASE_URL)
    else:
        given = django_connection.get_connection_params()
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    return {
        name: str(value)
        for name, value in given.items()
        if name in known and name not in _NOT_FOR_PROGRAMS and value not in (None, "")
    }


def connect(to: Mapping[str, str]) -> psycopg.Connection:
    """Connect in autocommit, on terms of its own: a statement may take as long as it takes.

    Raises psycopg.OperationalError when there is no answer.
    """
    return psycopg.connect(make_conninfo(**{**to, **_TERMS}), autocommit=True)
