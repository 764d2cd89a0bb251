"""``manage.py export_customer``: all that is held on a customer, as JSON."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import structlog
from django.core.management.base import CommandError
from django.core.serializers.json import DjangoJSONEncoder

from orders.housekeeping import exporting, traces
from orders.housekeeping.traces import Unsure
from orders.management.commands import _customers
from orders.management.commands._database import DatabaseCommand

log = structlog.get_logger(__name__)


class Command(DatabaseCommand):
    """Writes one JSON document to stdout, or to a new file that its owner alone can read."""

    help = (
        "Write all that is held on a customer as one JSON document, to be given to them. Exit 1"
        " when nothing is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        _customers.add_who(parser)
        parser.add_argument(
            "--output", type=Path, metavar="FILE", help="a file that there is not yet; mode 0600"
        )
        parser.add_argument(
            "--with-staff-notes",
            action="store_true",
            help="also what staff wrote down about the orders: read it first, it may name others",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say how much is held, and write nothing"
        )

    def handle(
        self,
        *,
        who: str,
        output: Path | None,
        with_staff_notes: bool,
        dry_run: bool,
        **options: Any,
    ) -> None:
        person = _customers.find(who)
        document = exporting.document(person, with_staff_notes=with_staff_notes)
        addresses = traces.words_of(person).addresses
        for line in _customers.told(Unsure(traces.bearing(person, addresses))):
            self.stderr.write(line, style_func=str)
        if exporting.is_empty(document):
            raise CommandError(f"Nothing is held on {who}.")
        if dry_run:
            self.stdout.write(f"would write {exporting.summary(document)}")
            return
        text = json.dumps(document, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False)
        if output is None:
            self.stdout.write(text)
        else:
            _write(output, f"{text}\n")
        log.info("customer_exported", orders=len(document["orders"]))


def _write(path: Path, text: str) -> None:
    """Write a file that nobody else can read at any moment; raise `CommandError`."""
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError as exc:
        raise CommandError(f"{path} exists, and is not overwritten.") from exc
    except OSError as exc:
        raise CommandError(f"{path}: {exc.strerror}") from exc
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as exc:
        path.unlink()
        raise CommandError(f"{path}: {exc.strerror}") from exc
