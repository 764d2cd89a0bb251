"""``manage.py reconcile_stock``: does the stock ledger agree with the orders and the inventory?"""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseFailure

from orders.management.commands._arguments import moment
from orders.management.commands._database import failure
from orders.management.commands._progress import Progress
from orders.stock import reconcile
from orders.stock.reconcile import Finding, Severity

CLEAN, VIOLATION, UNSETTLED, COULD_NOT_RUN = 0, 1, 2, 3


class Command(BaseCommand):
    """Writes each finding, with what to do next, as it is found; the exit code sums them up."""

    help = (
        "Check the ledger's invariants, and its products' stock in the inventory: exit 0 clean,"
        " 1 violation, 2 unsettled or in review, 3 could not run, or not to its end. Stock that"
        " differs is only a note, as somebody may have restocked, and so is an inventory that can't"
        " be read; with INVENTORY_SOLE_WRITER=1 the one is a violation and the other unsettled."
        " With --since, whoever else changes stock, the one is a violation, and the other is"
        " unread: the exit is 3, whatever else was found."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="one JSON document on stdout"
        )
        parser.add_argument(
            "--product",
            action="append",
            default=[],
            metavar="ID",
            dest="products",
            help="only what is about this product; can be repeated",
        )
        parser.add_argument(
            "--since",
            type=_past,
            metavar="TIME",
            help="after a restore, the time of the backup (UTC, unless it names a zone): find"
            " products, too, that the inventory has changed since then, though the ledger never"
            " moved them, or though they agree with it",
        )
        parser.add_argument("--no-inventory", action="store_true", help="check our own tables only")

    def run_from_argv(self, argv: list[str]) -> None:
        """Refuse what is mistyped by an exit of our own: argparse's 2 means unsettled here."""
        parser = self.create_parser(argv[0], argv[1])
        try:
            parser.parse_args(argv[2:])
        except CommandError as exc:
            self.stderr.write(f"{parser.format_usage()}{exc}")
            sys.exit(COULD_NOT_RUN)
        super().run_from_argv(argv)

    def handle(
        self,
        *,
        as_json: bool,
        products: list[str],
        since: datetime | None,
        no_inventory: bool,
        **options: Any,
    ) -> None:
        if since is not None and no_inventory:
            raise CommandError("--since asks the inventory.", returncode=COULD_NOT_RUN)
        counts: Counter[Severity] = Counter()
        try:
            parts = reconcile.parts(products, ask_inventory=not no_inventory, since=since)
            found = _counted(parts, counts, Progress(self.stderr, len(parts)))
            if as_json:
                self._write_json(found, counts)
            else:
                self._write_text(found, counts)
        except DatabaseFailure as exc:
            raise CommandError(f"The database: {failure(exc)}", returncode=COULD_NOT_RUN) from exc
        if code := _exit_code(counts):
            sys.exit(code)

    def _write_json(self, found: Iterator[Finding], counts: Counter[Severity]) -> None:
        """Write one document bit by bit, so that it need not fit into memory."""
        self.stdout.write('{"findings": [', ending="")
        separator = "\n"
        for each in found:
            self.stdout.write(separator + json.dumps(asdict(each), ensure_ascii=False), ending="")
            separator = ",\n"
        summary = {
            "counts": {severity.value: counts[severity] for severity in Severity},
            "exit_code": _exit_code(counts),
        }
        self.stdout.write("],\n" + json.dumps(summary).removeprefix("{"))

    def _write_text(self, found: Iterator[Finding], counts: Counter[Severity]) -> None:
        for each in found:
            order = f" #{each.order}" if each.order is not None else ""
            product = f" product {each.product_id}" if each.product_id is not None else ""
            about = f"{order},{product}" if order and product else order + product
            self.stdout.write(
                f"{each.severity} {each.invariant}{about}: {each.what}\n  → {each.next_step}"
            )
        summary = [f"{counts[severity]} {severity}" for severity in Severity if counts[severity]]
        if counts[Severity.UNREAD]:
            summary.append("and there may be more: not all could be looked at")
        self.stdout.write(", ".join(summary if _exit_code(counts) else ["clean", *summary]))


def _past(text: str) -> datetime:
    at = moment(text)
    if at > datetime.now(UTC):
        raise ArgumentTypeError(f"{text!r} is yet to come")
    return at


def _counted(
    parts: Sequence[Callable[[], Iterator[Finding]]],
    counts: Counter[Severity],
    progress: Progress,
) -> Iterator[Finding]:
    """Run the parts; the bar makes way for what they find."""
    for part in parts:
        for finding in part():
            progress.close()
            counts[finding.severity] += 1
            yield finding
        progress.step()
    progress.close()


def _exit_code(counts: Counter[Severity]) -> int:
    if counts[Severity.UNREAD]:  # before all else: who resolves what was found is not done then
        return COULD_NOT_RUN
    if counts[Severity.VIOLATION]:
        return VIOLATION
    return UNSETTLED if counts[Severity.UNSETTLED] or counts[Severity.REVIEW] else CLEAN
