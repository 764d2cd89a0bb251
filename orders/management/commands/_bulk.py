"""What the commands over many orders share: choosing them, one verb each, and the report."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.core.management.base import CommandError
from django.db import OperationalError

from orders.errors import OrderError
from orders.management.commands._arguments import at_least_one, moment
from orders.management.commands._database import DatabaseCommand, failure
from orders.management.commands._progress import Progress
from orders.models import Order
from orders.status import OrderStatus
from orderservice.metrics import reports

FAILED, UNSETTLED = 1, 2


@dataclass(slots=True)
class Tally:
    """How many orders came to what."""

    done: int = 0
    left: int = 0  # to the worker
    failed: int = 0
    stuck: bool = False  # waited for those that are left, in vain

    def summary(self, done: str) -> str:
        """Return this in words; ``done`` is the verb's participle."""
        words = [f"{self.done} {done}"]
        words += [f"{self.left} left to the worker"] if self.left else []
        words += [f"{self.failed} failed"] if self.failed else []
        return ", ".join(words)


class BulkCommand(DatabaseCommand):
    """Applies one verb to orders, oldest first, each in transactions of its own.

    Writes one line a failure to stderr and a summary to stdout; ends with exit code 1 when any
    failed, else 2 when it waited in vain for some. What has succeeded stays, so that the command
    can simply be run again.
    """

    done: ClassVar[str]  # the participle
    from_status: ClassVar[OrderStatus]

    def add_arguments(self, parser: ArgumentParser) -> None:
        word = self.from_status.lower()
        parser.add_argument("numbers", nargs="*", type=int, metavar="NUMBER", help="order numbers")
        parser.add_argument(
            f"--all-{word}", action="store_true", dest="every", help=f"every {word} order"
        )
        parser.add_argument(
            "--created-before",
            type=moment,
            metavar="TIME",
            help=f"{word} orders from before this ISO time (UTC unless it says otherwise)",
        )
        parser.add_argument(
            "--limit", type=at_least_one, metavar="N", help="the N oldest of them at most"
        )
        parser.add_argument("--dry-run", action="store_true", help="list them, change nothing")

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run as any command does, and keep what was counted on the way."""
        try:
            return super().execute(*args, **options)
        finally:
            reports.finish()

    def handle(
        self,
        *,
        numbers: Sequence[int],
        every: bool,
        created_before: datetime | None,
        limit: int | None,
        dry_run: bool,
        **options: Any,
    ) -> None:
        if bool(numbers) == bool(every or created_before):
            raise CommandError("Name either order numbers or a filter (see --help).")
        chosen = sorted(set(numbers)) or self._matching(created_before)
        chosen = chosen[:limit]
        if dry_run:
            self._list(chosen)
            return
        progress = Progress(self.stderr, len(chosen))
        tally = self.carry_out(chosen, progress, options)
        progress.close()
        self.stdout.write(tally.summary(self.done))
        if tally.failed or tally.stuck:
            sys.exit(FAILED if tally.failed else UNSETTLED)

    def carry_out(
        self, numbers: Sequence[int], progress: Progress, options: dict[str, Any]
    ) -> Tally:
        """Apply the verb to all; step the progress for each, and say a line for each failure."""
        raise NotImplementedError

    def _matching(self, created_before: datetime | None) -> list[int]:
        orders = Order.objects.filter(status=self.from_status)
        if created_before is not None:
            orders = orders.filter(created_at__lt=created_before)
        return list(orders.order_by("pk").values_list("pk", flat=True))

    def _list(self, numbers: Sequence[int]) -> None:
        statuses = dict(Order.objects.filter(pk__in=numbers).values_list("pk", "status"))
        for number in numbers:
            status = statuses.get(number)
            if status == self.from_status:
                self.stdout.write(f"#{number}: would be {self.done}")
            else:
                self.stdout.write(f"#{number}: {status or 'no such order'}, would be left alone")


def explain(number: int, exc: OrderError | OperationalError) -> str:
    """Return the line that says why an order failed."""
    if isinstance(exc, OrderError):
        return f"#{number}: {exc}"
    # A lock that somebody holds, or the database is gone.
    return f"#{number}: the database: {failure(exc)}"
