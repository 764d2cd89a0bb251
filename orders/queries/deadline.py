"""A deadline for statements that a page can do without."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import OperationalError, connection, transaction

from orderservice.postgresql.patience import patience

# Of a transaction that reads a table as a whole, or writes very many rows.
PATIENT = "SET LOCAL statement_timeout = '5min'"
log = structlog.get_logger(__name__)


class Unanswered(Exception):
    """The database had no answer within the deadline."""


@contextmanager
def within(milliseconds: int) -> Iterator[None]:
    """Give each statement in this block so long; raise `Unanswered` when one takes longer.

    The server ends it then; one that is there and answers nobody, not even that, is given up.
    """
    try:
        with patience(milliseconds / 1000), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)]
                )
            yield
    except OperationalError as exc:
        if not connection.in_atomic_block:  # a caller's transaction is not ours to end
            connection.close_if_unusable_or_obsolete()
        log.warning("statement_unanswered", error=exc)
        raise Unanswered from exc
