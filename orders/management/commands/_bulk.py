"""What the commands over many orders share: choosing them, one verb each, and the report."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

from orders.actor import Actor
from orders.errors import OrderError
from orders.management.commands._progress import Progress
from orders.models import Order
from orders.status import Door, OrderStatus

OPERATOR = Actor.system(Door.COMMAND)


class BulkCommand(BaseCommand):
    """Applies one verb to orders, oldest first, each in transactions of its own.

    Writes one line a failure to stderr and a summary to stdout; ends with exit code 1 when any
    failed. What has succeeded stays, so that the command can simply be run again.
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
            type=_moment,
            metavar="TIME",
            help=f"{word} orders from before this ISO time (UTC unless it says otherwise)",
        )
        parser.add_argument("--limit", type=int, metavar="N", help="the N oldest of them at most")
        parser.add_argument("--dry-run", action="store_true", help="list them, change nothing")

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
        elif self._apply(chosen, options):
            sys.exit(1)

    def apply(self, number: int, options: dict[str, Any]) -> Order:
        """Apply the verb to one order; raises `OrderError`."""
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

    def _apply(self, numbers: Sequence[int], options: dict[str, Any]) -> int:
        """Apply the verb to each and return how many failed."""
        progress = Progress(self.stderr, len(numbers))
        failed = settling = 0
        for number in numbers:
            try:
                order = self.apply(number, options)
                settling += order.status == self.from_status
            except OrderError as exc:
                failed += 1
                progress.say(f"#{number}: {exc}")
            except OperationalError as exc:  # a lock that somebody holds, or the database is gone
                failed += 1
                progress.say(f"#{number}: the database: {str(exc).splitlines()[0]}")
                connection.close_if_unusable_or_obsolete()
            progress.step()
        progress.close()
        summary = [f"{len(numbers) - failed - settling} {self.done}"]
        summary += [f"{settling} left to the worker"] if settling else []
        summary += [f"{failed} failed"] if failed else []
        self.stdout.write(", ".join(summary))
        return failed


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
