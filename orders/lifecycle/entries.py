"""The entries of batches: who waits for what, and what came of it."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db import connection
from django.utils import timezone

from orders.errors import OrderError
from orders.models import Batch, BatchEntry, Order
from orders.status import EntryOutcome, Verb
from orderservice.postgresql import prepared

_END = """
    UPDATE orders_batchentry AS entry
       SET outcome = %(outcome)s, ended_at = %(ended_at)s, code = %(code)s, why = %(why)s
      FROM orders_batch AS batch
     WHERE entry.batch_id = batch.id AND batch.verb = %(verb)s
       AND entry.order_id = ANY(%(orders)s) AND entry.outcome = ''
"""


def write(batch: Batch, numbers: Collection[int]) -> None:
    """Write an entry for each of the numbers that is an order's, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orders_batchentry (batch_id, order_id)"
            " SELECT %s, number FROM orders_order WHERE number = ANY(%s) ORDER BY number",
            [batch.pk, list(numbers)],
        )


def end(orders: Collection[Order], verb: Verb, refusal: OrderError | None = None) -> None:
    """Write down, wherever the locked orders wait for the verb, that it is done, or why not."""
    parameters: Any = {"orders": [order.pk for order in orders], "verb": verb, **_outcome(refusal)}
    with prepared() as cursor:
        cursor.execute(_END, parameters)


def end_one(entry: BatchEntry, refusal: OrderError | None = None) -> None:
    """Write down what came of one entry, unless somebody else has."""
    BatchEntry.objects.filter(pk=entry.pk, outcome="").update(**_outcome(refusal))


def end_many(batch: Batch, refusals: Iterable[tuple[int, OrderError | None]]) -> None:
    """Write down what came of a batch's orders, by their numbers: a statement for each answer."""
    alike: dict[str, tuple[OrderError | None, list[int]]] = {}
    for number, refusal in refusals:
        alike.setdefault(str(refusal), (refusal, []))[1].append(number)
    for refusal, numbers in alike.values():
        batch.entries.filter(order__in=numbers).update(**_outcome(refusal))


def _outcome(refusal: OrderError | None) -> dict[str, object]:
    ended = {"ended_at": timezone.now()}
    if refusal is None:
        return {"outcome": EntryOutcome.DONE, "code": "", "why": "", **ended}
    return {
        "outcome": EntryOutcome.REFUSED,
        "code": refusal.code,
        "why": str(refusal),
        **ended,
    }
