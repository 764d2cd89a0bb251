"""``manage.py expire_orders``: cancel what is PENDING for too long."""

import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import OperationalError

from orders.housekeeping import expiring
from orders.management.commands._actor import OPERATOR
from orders.management.commands._bulk import FAILED, Tally, explain
from orders.management.commands._database import DatabaseCommand
from orders.management.commands._progress import Progress
from orderservice.environment import MOST_HOURS


class Command(DatabaseCommand):
    """What changes meanwhile is left alone; what fails does not stop the others, and exits 1."""

    help = (
        "Cancel PENDING orders that are older than PENDING_EXPIRE_HOURS, the oldest first. What"
        " somebody looks after stays: orders on hold, in a batch, with stock on its way, and those"
        " that anything has happened to within that time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--hours",
            type=int,
            default=settings.PENDING_EXPIRE_HOURS,
            metavar="N",
            help="how old is too old (default: PENDING_EXPIRE_HOURS)",
        )
        parser.add_argument("--dry-run", action="store_true", help="list them, change nothing")

    def handle(self, *, hours: int | None, dry_run: bool, **options: Any) -> None:
        if hours is None or not 1 <= hours <= MOST_HOURS:
            raise CommandError(
                "Say how old is too old: --hours N, or PENDING_EXPIRE_HOURS, from 1 to a year's"
                f" {MOST_HOURS}."
            )
        after = timedelta(hours=hours)
        if dry_run:
            self._list(after)
            return
        tally, changed = Tally(), 0
        progress = Progress(self.stderr, expiring.expired(after).count())
        try:
            for each in expiring.expire(after, actor=OPERATOR):
                if each.why_not is None:
                    tally.done += 1
                elif isinstance(each.why_not, OperationalError):
                    tally.failed += 1
                    progress.say(explain(each.number, each.why_not))
                else:
                    changed += 1
                progress.step()
        finally:  # also when the database is gone: what is done stays
            progress.close()
            left = f", {changed} left alone: they have changed meanwhile" if changed else ""
            self.stdout.write(tally.summary("cancelled") + left)
        if tally.failed:
            sys.exit(FAILED)

    def _list(self, after: timedelta) -> None:
        found = list(expiring.expired(after).values_list("pk", "created_at"))
        for number, placed in found:
            self.stdout.write(f"#{number}: placed {placed:%Y-%m-%d %H:%M}")
        self.stdout.write(f"{len(found)} would be cancelled")
