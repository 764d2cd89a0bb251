"""``manage.py prune``: delete what nobody needs any more."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from orders.housekeeping import pruning
from orders.management.commands._database import DatabaseCommand


class Command(DatabaseCommand):
    """Says of each kind how much there was; the worker does the same once a day."""

    help = (
        "Delete idempotency keys, sessions, failed sign-ins, rate counts, finished jobs and stock"
        " attempts that are kept for long enough (orders/retention.py)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count them, delete nothing")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        rows: Counter[str] = Counter()
        for each in pruning.prune(dry_run=dry_run):
            rows[each.kind] += each.rows
        for kind, number in rows.items():
            self.stdout.write(f"{kind}: {number} {'would be ' if dry_run else ''}deleted")
