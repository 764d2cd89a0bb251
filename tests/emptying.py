"""Emptying the database after a test whose transactions really committed.

Django's own way empties every table, and then makes each content type, permission and role anew:
0.4 s a test. This one empties what holds rows, and leaves alone what the migrations put there.
"""

from functools import cache

from django.apps import apps
from django.db import connection
from django.test import TransactionTestCase

from orders.roles import ROLES, sync_roles

_FROM_MIGRATIONS = {
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_content_type",
}
# No models of ours, so Django does not name them; each before what it points to.
_JOBS = [
    "procrastinate_events",
    "procrastinate_periodic_defers",
    "procrastinate_jobs",
    "procrastinate_workers",
]
_APPEND_ONLY = "orders_orderevent"  # its trigger refuses a DELETE
_HELD = """
SELECT g.name, p.codename
  FROM auth_group g
  LEFT JOIN auth_group_permissions gp ON gp.group_id = g.id
  LEFT JOIN auth_permission p ON p.id = gp.permission_id
"""
_TO_BE_HELD = {(role, codename) for role, codenames in ROLES.items() for codename in codenames}


def install() -> None:
    """Have every such test end by this instead of by Django's flush."""
    TransactionTestCase._fixture_teardown = lambda _: empty()  # type: ignore[attr-defined]


def empty() -> None:
    """Empty all tables that a test can have filled, and give the roles back what they held."""
    with connection.cursor() as cursor:
        cursor.execute(_filled())
        filled = [name for (name,) in cursor.fetchall()]
        # In one transaction, at whose end the foreign keys are looked at.
        cursor.execute("; ".join(_emptied(table) for table in filled))
        cursor.execute(_HELD)
        if set(cursor.fetchall()) != _TO_BE_HELD:
            cursor.execute("TRUNCATE auth_group CASCADE")
            sync_roles(apps)


@cache
def _filled() -> str:
    """Return the statement that names the tables which hold rows."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})"  # noqa: S608 - our own names
        for table in [*sorted(set(tables) - _FROM_MIGRATIONS), *_JOBS]
    )


def _emptied(table: str) -> str:
    """Return how to empty a table: TRUNCATE makes new files, and costs more than a few rows do."""
    return f"TRUNCATE {table}" if table == _APPEND_ONLY else f"DELETE FROM {table}"  # noqa: S608
