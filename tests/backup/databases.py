"""Databases that a test, or the drill, may destroy."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from orderservice.backups.database import Database


def create(name: str, *, template: str = "template0", server: str | None = None) -> None:
    """Make a database anew, whatever there was of that name, on Django's server or another."""
    destroy(name, server=server)
    _execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template)
        ),
        server=server,
    )


def destroy(name: str, *, server: str | None = None) -> None:
    """Drop a database, though somebody should still be connected."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    _execute(statement, server=server)


@contextmanager
def owned_by_no_superuser(name: str) -> Iterator[tuple[str, str]]:
    """Make a database anew whose owner is a role of its own, as a managed server has it.

    What extensions it needs are the superuser's. Gives the owner's name and password.
    """
    role, password = f"{name}_owner", "no superuser's"
    destroy(name)
    _execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))
    _execute(
        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
            sql.Identifier(role), sql.Literal(password)
        )
    )
    try:
        _execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 OWNER {}").format(
                sql.Identifier(name), sql.Identifier(role)
            )
        )
        _execute(sql.SQL("CREATE EXTENSION pg_trgm"), server=_at(name))
        yield role, password
    finally:
        destroy(name)
        _execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def _execute(statement: sql.SQL | sql.Composed, *, server: str | None = None) -> None:
    with psycopg.connect(server or _at("postgres"), autocommit=True) as connection:
        connection.execute(statement)


def _at(name: str) -> str:
    return make_conninfo(**(Database.configured().parameters | {"dbname": name}))
