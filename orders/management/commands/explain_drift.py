"""``manage.py explain_drift``: what a restored ledger has forgotten, by the lines of our log."""

import json
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from orders.management.commands._database import DatabaseCommand
from orders.management.commands._times import past
from orders.stock.reconcile import Forgotten, Heard, forgotten, hear


class Command(DatabaseCommand):
    """Writes each change that the ledger does not know, with what undoes it. Changes nothing."""

    help = (
        "After a restore: read our log's lines on stock, and say which changes the ledger has"
        " forgotten, by product and order, and what to do about each before the worker starts."
        " Changes nothing, and asks the inventory nothing. Exit 0, or 1 when there is nothing to"
        " go by. A call whose process died before the answer has no line: reconcile_stock finds"
        " what differs beyond these."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "logs",
            nargs="*",
            type=Path,
            metavar="FILE",
            help="what web and worker logged since TIME, in any order (default: stdin)",
        )
        parser.add_argument(
            "--since",
            type=past,
            required=True,
            metavar="TIME",
            help="the time of the backup, as restore_db says it (UTC, unless it names a zone)",
        )
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="one JSON document on stdout"
        )

    def handle(
        self, *, logs: Sequence[Path], since: datetime, as_json: bool, **options: Any
    ) -> None:
        try:
            heard = hear(_lines(logs), since)
        except OSError as exc:
            raise CommandError(f"{exc.filename}: {exc.strerror}.") from exc
        if heard.first is None:
            raise CommandError(
                "No line of our log, which is JSON: one object a line, with event and timestamp."
            )
        if heard.first > since:
            self.stderr.write(
                f"The log begins at {heard.first.isoformat(timespec='seconds')}, after TIME:"
                " what was done between is not in it."
            )
        found = forgotten(heard)
        if as_json:
            rows = [asdict(each) | {"movements": [*map(str, each.movements)]} for each in found]
            document = {"forgotten": rows, "first": heard.first.isoformat()}
            self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))
        else:
            self._write(found, heard)

    def _write(self, found: Sequence[Forgotten], heard: Heard) -> None:
        for each in found:
            named = ", ".join(f"movement:{key}" for key in each.movements)
            self.stdout.write(
                f"product {each.product_id}: order #{each.order} {each.stands}, and"
                f" {_done(each.delta)} ({named})\n  → {each.next_step}"
            )
        told = len(heard.done) + len(heard.open)
        self.stdout.write(f"Changes that the log tells of since then: {told}; {_sums(found)}.")


def _lines(logs: Sequence[Path]) -> Iterator[str]:
    if not logs:
        yield from sys.stdin
    for path in logs:
        with path.open(encoding="utf-8", errors="replace") as log:
            yield from log


def _done(delta: int | None) -> str:
    if delta is None:
        return "something was sent for it"
    if delta == 0:
        return "took and gave back the same"
    return f"took {-delta}" if delta < 0 else f"gave back {delta}"


def _sums(found: Sequence[Forgotten]) -> str:
    """Return what the ledger has forgotten, to compare with what `reconcile_stock` finds."""
    if not found:
        return "the ledger knows them all"
    drift: Counter[str] = Counter()
    for each in found:
        drift[each.product_id] += each.delta or 0
    sums = ", ".join(f"{pieces:+d} of product {product}" for product, pieces in drift.items())
    doubt = ", and what nobody found out" if any(each.delta is None for each in found) else ""
    return f"the ledger has forgotten {sums}{doubt}"
