"""Nudging the worker: a job that says "look at the ledger", and nothing else.

What is to be done stands in the ledger alone, so that losing every job loses nothing: the worker's
sweeper reads the ledger too.
"""

import structlog
from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

from orders.stock import ledger

# The jobs' names: importing `orders.tasks` would close a circle.
SETTLE = "orders.settle"
BATCH = "orders.batch"

log = structlog.get_logger(__name__)


def nudge() -> None:
    """Have a worker look at the ledger soon; however many ask, one job waits at most.

    To be called when what the worker shall find is committed. A job that waits already has not
    read the ledger yet, so it will find it too. Never for a later time: a job that waits for its
    time would keep those out that are due now.
    """
    _defer(SETTLE, queueing_lock=SETTLE)


def nudge_batch(batch_id: int) -> None:
    """Have a worker carry out a batch that waits for one; two never work on it at once."""
    lock = f"{BATCH}.{batch_id}"
    _defer(BATCH, lock=lock, queueing_lock=lock, batch_id=batch_id)


def _defer(task: str, *, queueing_lock: str, lock: str | None = None, **arguments: int) -> None:
    try:
        with transaction.atomic():  # in a caller's transaction a savepoint, which a refusal spares
            job = app.configure_task(task, lock=lock, queueing_lock=queueing_lock)
            job.defer(**arguments)
    except AlreadyEnqueued:
        return
    except ConnectorException:
        log.warning("nudge_failed", exc_info=True)


def next_due_in() -> float | None:
    """Return in how many seconds a confirmation is due, 0 when one is; None when all is settled."""
    return ledger.next_due_in()
