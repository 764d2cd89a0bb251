"""``manage.py confirm_orders``: take the stock of orders and make them CONFIRMED."""

import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

from django.db import OperationalError, connection

from orders import lifecycle, outgoing
from orders.errors import OrderNotFound
from orders.management.commands._actor import OPERATOR
from orders.management.commands._bulk import BulkCommand, Tally, explain
from orders.management.commands._progress import Progress
from orders.models import Batch
from orders.queries import STAGE, Stage
from orders.status import OrderStatus

LOOK_AGAIN = 0.2  # seconds between two looks at how far they are
LOOK_SELDOM = 10  # times what a look takes, at least: the same process does the work
AT_ONCE = 1000  # orders that a statement names
IN_REVIEW = "Its stock is in review: see manage.py resolve_stock"
NAP = 0.1  # of a thread that found nothing due


class Command(BulkCommand):
    """Confirms orders as one batch; what makes no progress for ``--wait`` is left to the worker."""

    # The batch stands in the ledger before anything moves, so that a Ctrl-C or a crash loses
    # nothing. Then this process does what the worker does, rather than only wait for one: it needs
    # none to be running, and where one is they share the work.

    help = (
        "Confirm PENDING orders, oldest first: deduct their stock or say what is short. Exit 0"
        " all confirmed, 1 any failed or in review, 2 some left to the worker after --wait."
    )
    done = "confirmed"
    from_status = OrderStatus.PENDING

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--wait",
            type=float,
            default=30.0,
            metavar="SECONDS",
            help="how long to go on without any progress (default: %(default)s)",
        )
        parser.add_argument(
            "--no-wait", action="store_true", help="leave all of it to the worker, and return"
        )

    def carry_out(
        self, numbers: Sequence[int], progress: Progress, options: dict[str, Any]
    ) -> Tally:
        batch = lifecycle.confirm_many(numbers, actor=OPERATOR)
        unknown = sorted(set(numbers) - set(batch.entries.values_list("order_id", flat=True)))
        for number in unknown:
            progress.say(explain(number, OrderNotFound()))
            progress.step()
        if options["no_wait"]:
            tally = _count(batch, progress, wait=0.0)
        else:
            with _workers():
                tally = _count(batch, progress, wait=options["wait"])
        tally.failed += len(unknown)
        if tally.left and not options["no_wait"]:
            tally.stuck = True
            progress.say(
                f"no progress for {options['wait']:g} s: see that the inventory answers"
                " (manage.py check_inventory) and that a worker runs (manage.py worker)"
            )
        return tally


def _count(batch: Batch, progress: Progress, *, wait: float) -> Tally:
    """Count the orders as they end, until none is left or none has ended for ``wait``.

    One in review is a failure: only a person can go on with it.
    """
    tally = Tally()
    left = set(batch.entries.values_list("order_id", flat=True))
    give_up_at = time.monotonic() + wait
    while True:
        began = time.monotonic()
        try:
            waiting = _waiting(batch)
            news = _came_to(batch, sorted(left - waiting))
        except OperationalError:  # the database is gone: perhaps it comes back
            connection.close_if_unusable_or_obsolete()
            waiting, news = left, []
        for number, stage, why in news:
            if stage == Stage.DONE:
                tally.done += 1
            else:
                tally.failed += 1
                progress.say(f"#{number}: {IN_REVIEW if stage == Stage.REVIEW else why}")
            progress.step()
        left &= waiting  # what was in review, and has been told, may go on
        tally.left = len(left)
        now = time.monotonic()
        if news:
            give_up_at = now + wait
        if not left or now >= give_up_at:
            return tally
        time.sleep(max(LOOK_AGAIN, LOOK_SELDOM * (now - began)))


def _waiting(batch: Batch) -> set[int]:
    """Return the orders of which nothing can be told yet."""
    open_ = batch.entries.filter(outcome="")  # which has an index; a stage has none
    waiting = open_.annotate(stage=STAGE).filter(stage=Stage.WAITING)
    return set(waiting.values_list("order_id", flat=True))


def _came_to(batch: Batch, numbers: Sequence[int]) -> list[tuple[int, str, str]]:
    """Return what has become of orders, and why not."""
    entries = batch.entries.annotate(stage=STAGE).order_by("order")
    return [
        row
        for at in range(0, len(numbers), AT_ONCE)
        for row in entries.filter(order__in=numbers[at : at + AT_ONCE]).values_list(
            "order_id", "stage", "why"
        )
    ]


@contextmanager
def _workers() -> Iterator[None]:
    """Advance what is due in as many threads as there may be inventory calls in a process."""
    count = outgoing.most_calls()
    stop = Event()
    with ThreadPoolExecutor(count) as threads:
        work = [threads.submit(_work, stop) for _ in range(count)]
        try:
            yield
        finally:
            stop.set()
    for each in work:
        each.result()


def _work(stop: Event) -> None:
    try:
        while not stop.is_set():
            try:
                busy = lifecycle.advance_due()
            except OperationalError:  # the database is gone: perhaps it comes back
                connection.close_if_unusable_or_obsolete()
                busy = False
            if not busy:
                stop.wait(NAP)
    finally:
        connection.close()
