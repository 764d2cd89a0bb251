"""``manage.py reconcile_stock``: does the stock ledger agree with the orders?"""

import json
import sys
from argparse import ArgumentParser
from collections import Counter
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from orders.stock import reconcile
from orders.stock.reconcile import Severity

CLEAN, VIOLATION, UNSETTLED = 0, 1, 2


class Command(BaseCommand):
    """Reports each finding with what to do next; the exit code sums them up."""

    help = "Check the ledger's invariants: exit 0 clean, 1 violation, 2 unsettled or in review."

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

    def handle(self, *, as_json: bool, products: list[str], **options: Any) -> None:
        found = reconcile.findings(products)
        counts = Counter(finding.severity for finding in found)
        code = VIOLATION if counts[Severity.VIOLATION] else UNSETTLED if found else CLEAN
        if as_json:
            self._write_json(found, counts, code)
        else:
            self._write_text(found, counts)
        if code:
            sys.exit(code)

    def _write_json(
        self, found: list[reconcile.Finding], counts: Counter[Severity], code: int
    ) -> None:
        document = {
            "exit_code": code,
            "counts": {severity.value: counts[severity] for severity in Severity},
            "findings": [asdict(finding) for finding in found],
        }
        self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))

    def _write_text(self, found: list[reconcile.Finding], counts: Counter[Severity]) -> None:
        for each in found:
            product = f", product {each.product_id}" if each.product_id else ""
            self.stdout.write(
                f"{each.severity} {each.invariant} #{each.order}{product}: {each.what}\n"
                f"  → {each.next_step}"
            )
        summary = [f"{counts[severity]} {severity}" for severity in Severity if counts[severity]]
        self.stdout.write(", ".join(summary) or "clean")
