"""Somebody else who holds something, and little patience of our own."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from django.db import connection, transaction


@contextmanager
def held(statement: str) -> Iterator[None]:
    """Have another connection hold what a statement locks; we wait 50 ms for it."""
    begun, done = Event(), Event()

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
                begun.set()
                done.wait(30)
        finally:
            connection.close()

    holder = Thread(target=hold)
    holder.start()
    try:
        assert begun.wait(30)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 50")
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
        done.set()
        holder.join()
