"""Writing a made-up history into the database: by COPY, some thousand orders a transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction
from psycopg import sql

from orders.management.demo.history import History
from orders.management.demo.rows import COLUMNS, Row
from orders.models import Confirmation, Order
from orders.status import UNSETTLED_STOCK

ORDERS_A_PART = 5_000  # bounds the memory, and what an interruption loses
TRIGRAM_INDEXES = ("order_customer_words", "item_product_words")


def parts_of(orders: int) -> int:
    """Return how many parts a load of so many orders has."""
    return -(-orders // ORDERS_A_PART)


def load(
    orders: int, *, unsettled: int, seed: int, now: datetime, staff: str, step: Callable[[], None]
) -> None:
    """Write so many orders with all that happened to them up to ``now``, and gather statistics.

    ``unsettled`` more each are left settling and in review; no worker touches those. Calls ``step``
    after each part. What is written when somebody interrupts it stays, and is consistent.
    """
    history = History(orders, seed=seed, now=now, staff=staff, currency=settings.CURRENCY)
    with _in_bulk():
        for first in range(0, orders, ORDERS_A_PART):
            places = range(first, min(first + ORDERS_A_PART, orders))
            with _transaction():
                confirmations = iter(_keys(Confirmation, len(places)))
                history.tell(places, _keys(Order, len(places)), confirmations)
                _copy(history.rows.tables)
            step()
        with _transaction():
            for state in UNSETTLED_STOCK:
                confirmations = iter(_keys(Confirmation, unsettled))
                history.leave_open(state, _keys(Order, unsettled), confirmations)
            _copy(history.rows.tables)


@contextmanager
def _in_bulk() -> Iterator[None]:
    """Let the trigram indexes collect what is new, and tidy the tables up in the end.

    Sorting in each order's trigrams at once takes longer than all the rest. One who is killed here
    leaves indexes that go on collecting: searches stay right, and get a little slower.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        for index in TRIGRAM_INDEXES:
            cursor.execute(f"ALTER INDEX {index} SET (fastupdate = on)")
        try:
            yield
        finally:
            for index in TRIGRAM_INDEXES:
                cursor.execute(f"ALTER INDEX {index} SET (fastupdate = off)")
        for model in COLUMNS:  # also marks the pages as visible to all, for index-only scans
            cursor.execute(f'VACUUM (ANALYZE) "{model._meta.db_table}"')
        cursor.execute("RESET statement_timeout")


@contextmanager
def _transaction() -> Iterator[None]:
    """Open a transaction in which the indexes may collect much before they sort it in."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL gin_pending_list_limit = '64MB'")
        yield


def _keys(model: type[models.Model], count: int) -> list[int]:
    """Return keys of a table that nobody else gets, in growing order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [model._meta.db_table, model._meta.pk.column, count],
        )
        return sorted(key for (key,) in cursor.fetchall())


def _copy(tables: dict[type[models.Model], list[Row]]) -> None:
    """Write the rows, and forget them."""
    for model, rows in tables.items():
        columns = COLUMNS[model].split()
        defaults = _defaults(model, columns)
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(model._meta.db_table),
            sql.SQL(", ").join(map(sql.Identifier, [*columns, *defaults])),
        )
        rest = tuple(defaults.values())
        with connection.cursor() as cursor, cursor.cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row + rest)
        rows.clear()


def _defaults(model: type[models.Model], written: list[str]) -> dict[str, Any]:
    """Return what stands in the columns that are not written, where the database knows no default.

    Django fills these in for objects that it saves.
    """
    return {
        field.column: field.get_default()
        for field in model._meta.concrete_fields
        if field.column is not None
        and field.column not in written
        and not field.primary_key
        and field.db_default is models.NOT_PROVIDED
    }
