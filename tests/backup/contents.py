"""What a database holds, in a form that can be compared."""

from typing import Any

import psycopg
from django.db import connection as django_connection
from psycopg import sql

from orderservice.backups.database import Database
from orderservice.backups.tools import Program
from tests.processes import database_url

_TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
   AND relpersistence = 'p' ORDER BY relname
"""
_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'"
NUMBERS = "orders_order_number_seq"


def held() -> dict[str, tuple[int, int]]:
    """Return what Django's database holds, as `tables` does; leaves nobody connected."""
    django_connection.close()
    with psycopg.connect(database_url()) as reader:
        return tables(reader)


def tables(connection: psycopg.Connection[Any]) -> dict[str, tuple[int, int]]:
    """Return of each table the number of its rows, and a sum of hashes over all of every row."""
    found = {}
    for (name,) in connection.execute(_TABLES).fetchall():
        row = connection.execute(
            sql.SQL(
                "SELECT count(*), coalesce(sum(hashtextextended(each::text, 0)::numeric), 0)"
                " FROM public.{} AS each"
            ).format(sql.Identifier(name))
        ).fetchone()
        assert row is not None
        found[name] = (int(row[0]), int(row[1]))
    return found


def sequences(connection: psycopg.Connection[Any]) -> dict[str, int | None]:
    """Return where each sequence has got to, but for that of the orders' numbers."""
    return {name: at for name, at in connection.execute(_SEQUENCES).fetchall() if name != NUMBERS}


def schema(database: Database) -> list[str]:
    """Return all that there is but rows, as pg_dump writes it."""
    pg_dump = Program.find("pg_dump", at_least=15, because="")
    text = pg_dump.run(
        "--schema-only", "--no-owner", database.argument, environment=database.environment
    )
    return [
        line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))
    ]
