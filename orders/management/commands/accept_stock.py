"""``manage.py accept_stock``: have the ledger count on from what the inventory has."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from orders import lifecycle, queries
from orders.actor import Actor
from orders.errors import Forbidden, NotAccepted
from orders.management.commands._actor import actor_of
from orders.management.commands._arguments import at_least_one
from orders.management.commands._database import DatabaseCommand

LISTED = 100


class Command(DatabaseCommand):
    """Without a product it lists what has been accepted, by whom and why."""

    help = (
        "Accept the stock that the inventory has of a product and the ledger did not leave there:"
        " a delivery, or what was lost with a restored database. Moves nothing. Exit 0 accepted,"
        " or as expected anyway; 1 refused, or the database fails. Without a product: list what was"
        " accepted, the latest first."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("product", nargs="?", metavar="PRODUCT")
        parser.add_argument(
            "quantity",
            nargs="?",
            type=int,
            metavar="QUANTITY",
            help="what you see there: 0 when it is gone",
        )
        parser.add_argument("--note", default="", help="why it is right; name no customer")
        parser.add_argument(
            "--looked-up",
            action="store_true",
            help="although orders are under way with it: the inventory's log shows nothing of what"
            " they are yet to do, or that is undone there, or it knows the keys and does it once",
        )
        parser.add_argument(
            "--user",
            metavar="NAME",
            help="who decides: a username with the right to decide reviews",
        )
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="list as one JSON document"
        )
        parser.add_argument(
            "--limit",
            type=at_least_one,
            default=LISTED,
            metavar="N",
            help="list so many (default: %(default)s)",
        )

    def handle(
        self,
        *,
        product: str | None,
        quantity: int | None,
        note: str,
        user: str | None,
        looked_up: bool,
        as_json: bool,
        limit: int,
        **options: Any,
    ) -> None:
        if product is None and not note:
            self._list(limit, as_json=as_json)
        elif product is None or quantity is None or not note.strip() or as_json:
            raise CommandError('To accept, name PRODUCT, QUANTITY, and --note "why it is right".')
        else:
            self._accept(product, quantity, note, actor_of(user), looked_up=looked_up)

    def _accept(
        self, product: str, quantity: int, note: str, actor: Actor, *, looked_up: bool
    ) -> None:
        try:
            baseline = lifecycle.accept_stock(
                product, quantity, note=note, actor=actor, looked_up=looked_up
            )
        except Forbidden as exc:
            raise CommandError(f"{actor.user} may not accept stock.") from exc
        except NotAccepted as exc:
            raise CommandError(f"{exc}. Nothing was accepted.") from exc
        if baseline is None:
            self.stdout.write(f"product {product}: the ledger expects {quantity} anyway")
        else:
            self.stdout.write(str(baseline))

    def _list(self, limit: int, *, as_json: bool) -> None:
        found = queries.accepted(limit + 1)
        more, found = len(found) > limit, found[:limit]
        if as_json:
            rows = [
                {
                    "product_id": each.product_id,
                    "quantity": each.quantity,
                    "expected": each.expected,
                    "at": each.at.isoformat(),
                    "actor": each.actor,
                    "note": each.note,
                }
                for each in found
            ]
            document = {"accepted": rows, "more": more}
            self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))
            return
        for each in found:
            at = each.at.isoformat(timespec="seconds")
            self.stdout.write(f"{at} {each.actor}: {each}\n  {each.note}")
        if more:
            self.stdout.write("and older ones: see --limit")
        if not found:
            self.stdout.write("nothing was accepted")
