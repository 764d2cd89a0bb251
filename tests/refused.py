"""Rows that PostgreSQL refuses, and shows in its error: whose name and e-mail must go nowhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from orders.models import Order, ProcessReport, User
from tests.factories import order

NAME, EMAIL, STREET = "Canary Birdsong", "canary@birdsong.test", "7 Cage Lane"
CONSTRAINT = "refused_by_test"
CANARY = {"full_name": NAME, "email": EMAIL, "address": STREET}
_CHECKS = {
    Order: f"full_name <> '{NAME}'",
    User: f"email <> '{EMAIL}'",
    ProcessReport: f"samples::text NOT LIKE '%{NAME}%'",
}


def place() -> Order:
    """Make the canary's order."""
    return order(**CANARY)


@contextmanager
def refused() -> Iterator[None]:
    """Have the database refuse the canary, from now on; what there is of it stays."""
    tables = {model._meta.db_table: check for model, check in _CHECKS.items()}
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # or a table may have triggers to fire yet
        for table, check in tables.items():
            cursor.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {CONSTRAINT} CHECK ({check}) NOT VALID"
            )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {CONSTRAINT}")


def tells_only_names(text: str) -> None:
    """Fail when something of the canary is in the text, or too little of what was refused."""
    for secret in (NAME, *NAME.split(), EMAIL, "birdsong.test", STREET, "Failing row"):
        assert secret not in text, text
    for needed in ("psycopg.errors.CheckViolation", "django.db.utils.IntegrityError"):
        assert needed in text, text
    for needed in (f"constraint {CONSTRAINT}", "SQLSTATE 23514", "Traceback", ", line "):
        assert needed in text, text
