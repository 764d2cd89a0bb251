"""``manage.py erase_customer``: have no table name a customer any more."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandError

from orders import lifecycle
from orders.errors import NotFinished, OrderError
from orders.housekeeping import erasing, mentions, sweeping, traces
from orders.housekeeping.erasing import Erasure
from orders.housekeeping.people import Person
from orders.housekeeping.sweeping import NotSwept
from orders.housekeeping.traces import Unsure
from orders.management.commands import _customers
from orders.management.commands._actor import OPERATOR
from orders.management.commands._bulk import FAILED, UNSETTLED
from orders.management.commands._database import DatabaseCommand
from orders.models import Order
from orders.status import OPEN, CancelReason


class Command(DatabaseCommand):
    """All or nothing, but for the orders that are to be cancelled first; can simply be repeated."""

    help = (
        "Replace what names a customer, in orders, notes and accounts, and close the accounts."
        " Numbers, lines, totals, events and stock movements stay. Can't be undone: --dry-run and"
        " export_customer come first. Exit 0 done; 1 not done, or there is something of others to"
        " look at; 2 done, but PostgreSQL still keeps old versions of the rows: run this again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        _customers.add_who(parser)
        parser.add_argument(
            "--cancel",
            type=int,
            action="append",
            default=[],
            metavar="NUMBER",
            help="an open order of theirs, to be cancelled first; can be repeated",
        )
        parser.add_argument(
            "--order",
            type=int,
            action="append",
            default=[],
            metavar="NUMBER",
            help="an order that is theirs, too, whatever it says; can be repeated",
        )
        parser.add_argument(
            "--mention",
            action="append",
            default=[],
            metavar="TEXT",
            help="a name or a number that staff have typed, to be replaced; can be repeated",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what there is, change none")

    def handle(
        self,
        *,
        who: str,
        cancel: Sequence[int],
        order: Sequence[int],
        mention: Sequence[str],
        dry_run: bool,
        **options: Any,
    ) -> None:
        if not all(map(mentions.is_word, mention)):
            raise CommandError("A --mention is blank: name what is to be replaced.")
        person = _customers.find(who, order)
        if others := erasing.of_others(person, cancel):
            named = ", ".join(f"#{number}" for number in others)
            raise CommandError(f"Not an order of {who}: {named}. Nothing was done.")
        open_ = erasing.unfinished(person)
        self._require_only(open_, cancel)
        if dry_run and open_:
            named = ", ".join(f"#{each.pk}" for each in open_)
            self.stdout.write(f"{named} would be cancelled; the rest can be told after that")
            addresses = traces.words_of(person).addresses
            unsure = Unsure(traces.bearing(person, addresses))
            self._tell(unsure)
            if unsure.others:
                sys.exit(FAILED)
            return
        for each in open_:
            self._cancel(each)
        try:
            erasure = erasing.erase(
                person, actor=OPERATOR, texts=mention, rehearsal=dry_run, tell=self._tell
            )
        except NotFinished as exc:
            raise CommandError(f"{exc}. Run this again when that has ended.") from exc
        self.stdout.write(_summary(erasure, dry_run))
        swept = dry_run or self._sweep()
        if not dry_run:
            self._require_nothing_left(person)
        if erasure.unsure.others or not swept:
            sys.exit(FAILED if erasure.unsure.others else UNSETTLED)

    def _require_only(self, open_: Sequence[Order], cancel: Sequence[int]) -> None:
        """Refuse while an order is open that is not to be cancelled."""
        unnamed = [each for each in open_ if each.pk not in cancel]
        if unnamed:
            named = ", ".join(
                f"#{each.pk} ({each.status}, stock {each.stock_state})" for each in unnamed
            )
            raise CommandError(
                f"Nothing was erased, for there are orders to go on with: {named}. Complete or"
                " cancel them, wait until their stock has settled, or name them with --cancel."
            )

    def _cancel(self, order: Order) -> None:
        if order.status not in OPEN:
            return  # it is cancelled, and gives its stock back
        try:
            lifecycle.cancel(order.pk, actor=OPERATOR, reason=CancelReason.CUSTOMER)
        except OrderError as exc:
            raise CommandError(f"#{order.pk}: {exc}. Nothing was erased.") from exc
        self.stdout.write(f"#{order.pk}: cancelled")

    def _sweep(self) -> bool:
        """Clean up, also after a run that died before; tell whether all is gone."""
        try:
            sweeping.sweep()
        except NotSwept as exc:
            self.stderr.write(
                f"PostgreSQL still keeps old versions of rows, until this or VACUUM is run: {exc}",
                style_func=str,
            )
            return False
        return True

    def _tell(self, unsure: Unsure) -> None:
        """Say what only a person can tell: later nobody knows any more what to look for."""
        lines = _customers.told(unsure)
        if unsure.texts:
            lines.append(
                "See who is meant in what staff have typed, and have it replaced with --mention."
            )
        if unsure.others:
            lines.append(
                "See whose the other accounts and orders are: erase what is theirs by username or"
                " address, or name orders with --order."
            )
        for line in lines:
            self.stderr.write(line, style_func=str)
        self.stderr.flush()

    def _require_nothing_left(self, person: Person) -> None:
        """Refuse to be done with orders that came meanwhile: a name that is gone leads to none."""
        if left := erasing.left(person):
            named = ", ".join(f"#{number}" for number in left)
            again = " ".join(f"--order {number}" for number in left)
            raise CommandError(
                f"Placed meanwhile: {named}. Run this again with {again}, and with --cancel, too,"
                " for each that is open."
            )


def _summary(erasure: Erasure, dry_run: bool) -> str:
    counted = {
        "orders": erasure.orders,
        "notes": erasure.notes,
        "accounts": erasure.accounts,
        "idempotency keys": erasure.idempotency_keys,
        "failed sign-ins": erasure.attempts,
        **{f"mentions in {where}": number for where, number in erasure.mentions.items()},
    }
    words = [f"{number} {what}" for what, number in counted.items() if number]
    if not words:
        return "nothing left to erase"
    return f"{', '.join(words)} {'would be ' if dry_run else ''}erased"
