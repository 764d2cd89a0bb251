"""``manage.py resolve_stock``: list the movements that a person must decide, and decide one."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from orders import lifecycle, queries
from orders.actor import Actor
from orders.errors import Forbidden, NotInReview
from orders.management.commands._actor import actor_of
from orders.management.commands._database import DatabaseCommand
from orders.models import StockAttempt, StockMovement
from orders.stock import movements


class Command(DatabaseCommand):
    """Without a movement it shows the evidence; with one it writes the decision down."""

    help = (
        "List the stock movements that wait for a person's decision, or decide one: search the"
        " inventory's log for its reason first. Exit 0 listed or decided, 1 refused,"
        " or the database fails."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("movement", nargs="?", type=UUID, metavar="MOVEMENT")
        decision = parser.add_mutually_exclusive_group()
        decision.add_argument(
            "--applied",
            action="store_const",
            const=True,
            dest="applied",
            help="the inventory did apply it",
        )
        decision.add_argument(
            "--not-applied",
            action="store_const",
            const=False,
            dest="applied",
            help="it did not: it is done again, or voided when no longer wanted",
        )
        parser.add_argument("--note", default="", help="how you know; kept with the order's notes")
        parser.add_argument(
            "--user",
            metavar="NAME",
            help="who decides, for the timeline: a username with the right to decide reviews",
        )
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="list as one JSON document"
        )

    def handle(
        self,
        *,
        movement: UUID | None,
        applied: bool | None,
        note: str,
        user: str | None,
        as_json: bool,
        **options: Any,
    ) -> None:
        if movement is None and applied is None and not note:
            self._list(as_json)
        elif movement is None or applied is None or not note.strip() or as_json:
            raise CommandError(
                'To decide, name MOVEMENT, --applied or --not-applied, and --note "how you know".'
            )
        else:
            self._resolve(movement, applied, note, actor_of(user))

    def _list(self, as_json: bool) -> None:
        evidence = [_evidence(movement) for movement in queries.in_review()]
        if as_json:
            self.stdout.write(json.dumps({"movements": evidence}, indent=2, ensure_ascii=False))
        elif not evidence:
            self.stdout.write("nothing waits for a decision")
        else:
            self.stdout.write("\n\n".join(_in_words(each) for each in evidence))

    def _resolve(self, movement: UUID, applied: bool, note: str, actor: Actor) -> None:
        try:
            order = lifecycle.resolve(movement, applied=applied, note=note, actor=actor)
        except Forbidden as exc:
            raise CommandError(f"{actor.user} may not decide reviews.") from exc
        except NotInReview as exc:
            raise CommandError(f"No movement {movement} waits for a decision.") from exc
        decision = "applied" if applied else "not applied"
        self.stdout.write(f"#{order.pk}: movement {movement} was {decision}; a worker goes on")


def _evidence(movement: StockMovement) -> dict[str, Any]:
    """Return all that is known of a movement, as JSON can hold it."""
    number = movement.confirmation.order_id
    return {
        "movement": str(movement.pk),
        "order": number,
        "product_id": movement.product_id,
        "delta": movement.delta,
        "before": {"quantity": movement.before_quantity, "updated_at": movement.before_updated_at},
        "after": {"quantity": movement.after_quantity, "updated_at": movement.after_updated_at},
        "since": movement.resolved_at and movement.resolved_at.isoformat(),
        "reason": movements.reason(number, movement.pk),
        "attempts": [_attempt(attempt) for attempt in movement.attempts.all()],
    }


def _attempt(attempt: StockAttempt) -> dict[str, Any]:
    return {
        "sent_at": attempt.sent_at.isoformat(),
        "outcome": str(attempt),
        "http_status": attempt.http_status,
        "trace_id": attempt.trace_id,
    }


def _in_words(evidence: dict[str, Any]) -> str:
    lines = [
        f"{evidence['movement']}",
        f"  order #{evidence['order']}, product {evidence['product_id']}, {evidence['delta']:+d}",
        *(f"  {when}: {_stock(evidence[when])}" for when in ("before", "after")),
        *(f"  call at {_call(attempt)}" for attempt in evidence["attempts"]),
        f"  search the inventory's log for: {evidence['reason']}",
    ]
    return "\n".join(lines)


def _stock(seen: dict[str, Any]) -> str:
    if seen["quantity"] is None:
        return "not read"
    return f"{seen['quantity']} in stock, updated {seen['updated_at'] or 'at a time not told'}"


def _call(attempt: dict[str, Any]) -> str:
    words = [attempt["sent_at"], attempt["outcome"]]
    words += [f"HTTP {attempt['http_status']}"] if attempt["http_status"] else []
    words += [f"trace {attempt['trace_id']}"] if attempt["trace_id"] else []
    return ", ".join(words)
