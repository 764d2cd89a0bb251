"""``manage.py check_inventory``: does the inventory service answer, as the settings expect?"""

import sys
from argparse import ArgumentParser
from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand

from orders.stock import inspection


class Command(BaseCommand):
    """Writes one line an observation, those that ask for a change marked; then the exit code."""

    help = (
        "Check that the inventory service answers, how fast, and in the configured dialect:"
        " exit 0 fine, 1 unreachable or not as configured. Changes nothing, unless told to try."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--product", metavar="ID", help="the product to read (default: the last one ordered)"
        )
        parser.add_argument(
            "--try-idempotency",
            metavar="PRODUCT",
            help="find out whether Idempotency-Key is honoured: adds 1 to this product twice under"
            " one key, and takes back what was added; choose one that nobody orders",
        )

    def handle(self, *, product: str | None, try_idempotency: str | None, **options: Any) -> None:
        seen = inspection.inspect(product or try_idempotency)
        if try_idempotency is not None:
            seen = chain(seen, inspection.try_idempotency(try_idempotency))
        fine = True
        for observation in seen:
            fine = fine and observation.fine
            self.stdout.write(("ok   " if observation.fine else "FAIL ") + observation.text)
        if not fine:
            sys.exit(1)
