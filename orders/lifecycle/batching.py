"""One verb for many orders: opening the batch is a few statements, the worker carries it out."""

from collections.abc import Collection, Sequence

import structlog
from django.db import OperationalError, transaction

from orders.actor import Actor
from orders.errors import (
    Forbidden,
    IllegalTransition,
    InReview,
    OnHold,
    OrderError,
    OrderNotFound,
)
from orders.lifecycle import entries
from orders.lifecycle.cancelling import cancel
from orders.lifecycle.completing import complete
from orders.lifecycle.failures import failure_of
from orders.lifecycle.holding import hold, release
from orders.lifecycle.nudging import nudge, nudge_batch
from orders.lifecycle.records import record_requests
from orders.models import Batch, BatchEntry, Confirmation, Order
from orders.status import (
    BatchVerb,
    CancelReason,
    Door,
    EntryOutcome,
    HoldReason,
    OrderStatus,
    StockState,
)
from orders.stock import ledger

log = structlog.get_logger(__name__)


def open_batch(
    verb: BatchVerb,
    numbers: Collection[int],
    *,
    actor: Actor,
    reason: str = "",
    note: str = "",
) -> Batch:
    """Ask for one verb for many orders; return at once.

    The worker carries it out, the oldest order first, also if it dies in between; each entry says
    what came of its order. ``reason`` is a `CancelReason` or `HoldReason`. Confirmations are opened
    here and now, so that asking for the same orders again opens nothing more. Raises `Forbidden`
    when the actor may do this to no order; what an order needs beyond that, its entry says.
    """
    if verb is BatchVerb.HOLD:
        HoldReason(reason)
    if not actor.may_batch(verb):
        raise Forbidden(verb)
    with transaction.atomic(durable=True):
        batch = Batch.objects.create(
            verb=verb,
            reason=reason,
            note=note,
            actor=actor.label,
            user=actor.user,
            via=actor.via,
            selected=len(set(numbers)),
        )
        entries.write(batch, set(numbers))
        if verb is BatchVerb.CONFIRM:
            _open_confirmations(batch)
    if verb is BatchVerb.CONFIRM:
        nudge()
    else:
        nudge_batch(batch.pk)
    return batch


def confirm_many(numbers: Collection[int], *, actor: Actor) -> Batch:
    """Open a confirmation for each order that is PENDING and has none; see `open_batch`."""
    return open_batch(BatchVerb.CONFIRM, numbers, actor=actor)


def retry(batch_id: int, *, actor: Actor) -> Batch:
    """Ask once more for what a batch was refused, in a batch of its own; see `open_batch`."""
    batch = Batch.objects.get(pk=batch_id)
    refused = batch.entries.filter(outcome=EntryOutcome.REFUSED)
    numbers = list(refused.values_list("order_id", flat=True))
    verb = BatchVerb(batch.verb)
    return open_batch(verb, numbers, actor=actor, reason=batch.reason, note=batch.note)


def unfinished_batches() -> list[int]:
    """Return the batches that wait for a worker; those that confirm wait for the ledger alone."""
    waiting = BatchEntry.objects.filter(outcome="").exclude(batch__verb=BatchVerb.CONFIRM)
    return list(waiting.values_list("batch_id", flat=True).distinct())


def carry_out_next(batch_id: int, *, after: int) -> int | None:
    """Do a batch's verb for its next waiting entry past ``after``; return that entry's key.

    None when there is none. Each verb can be repeated, so that it is harmless when two workers come
    upon one entry, or one dies between the verb and its outcome. An order whose stock is on its way
    back keeps its entry waiting until that has ended.
    """
    waiting = BatchEntry.objects.filter(batch=batch_id, outcome="", pk__gt=after)
    entry = waiting.select_related("batch__user").order_by("pk").first()
    if entry is None:
        return None
    try:
        done = _do(entry)
    except OrderError as exc:
        entries.end_one(entry, exc)
    except OperationalError:
        raise  # the database is away, or a lock is held for too long: the entry goes on waiting
    except Exception:
        log.exception("batch_entry_failed", batch=batch_id, order=entry.order_id)
        entries.end_one(entry, OrderError("Something went wrong on our side; it is in the log"))
    else:
        if done:
            entries.end_one(entry)
    return entry.pk


def _do(entry: BatchEntry) -> bool:
    """Do the verb as who asked for it, with their rights as they are now; tell whether it ended."""
    batch, number = entry.batch, entry.order_id
    actor = Actor(via=Door(batch.via), user=batch.user, trusted=batch.user is None)
    match BatchVerb(batch.verb):
        case BatchVerb.COMPLETE:
            complete(number, actor=actor)
        case BatchVerb.CANCEL:
            reason = CancelReason(batch.reason) if batch.reason else None
            order = cancel(number, actor=actor, reason=reason, note=batch.note, hold=0)
            return order.status == OrderStatus.CANCELLED
        case BatchVerb.HOLD:
            hold(number, actor=actor, reason=HoldReason(batch.reason), note=batch.note)
        case BatchVerb.RELEASE:
            release(number, actor=actor, note=batch.note)
        case BatchVerb.CONFIRM:
            return False  # the ledger's business
    return True


def _open_confirmations(batch: Batch) -> None:
    """Open the confirmations that can be opened, and say of the other orders why not.

    What somebody else is confirming already is joined: its entry ends when that does.
    """
    orders = Order.objects.select_for_update(of=("self",)).filter(
        pk__in=batch.entries.values("order_id")
    )
    pending, refusals = [], list[tuple[int, OrderError | None]]()
    for number, status, reason in orders.order_by("pk").values_list("pk", "status", "hold_reason"):
        if status == OrderStatus.CONFIRMED:
            refusals.append((number, None))
        elif status != OrderStatus.PENDING:
            refusal = IllegalTransition(OrderStatus(status), OrderStatus.CONFIRMED)
            refusals.append((number, refusal))
        elif reason:
            refusals.append((number, OnHold(HoldReason(reason))))
        else:
            pending.append(number)
    opened = ledger.open_confirmations(pending, actor=batch.actor, via=batch.via, batch_id=batch.pk)
    record_requests(opened, actor=batch.actor, via=batch.via, batch_id=batch.pk)
    entries.end_many(batch, refusals)


def settled(numbers: Sequence[int]) -> dict[int, OrderError | None]:
    """Return what became of the orders that were to be confirmed: why not, or None if they are.

    One whose stock is still settling is left out; one in review is not, for only a person can go on
    with it.
    """
    orders = {order.pk: order for order in Order.objects.filter(pk__in=numbers)}
    found: dict[int, OrderError | None] = {}
    rejected = []
    for number in numbers:
        order = orders.get(number)
        if order is None:
            found[number] = OrderNotFound()
        elif order.status == OrderStatus.CONFIRMED:
            found[number] = None
        elif order.status != OrderStatus.PENDING:
            found[number] = IllegalTransition(OrderStatus(order.status), OrderStatus.CONFIRMED)
        elif order.hold_reason:
            found[number] = OnHold(HoldReason(order.hold_reason))
        elif order.stock_state == StockState.REVIEW:
            found[number] = InReview()
        elif order.stock_state != StockState.SETTLING:
            rejected.append(number)
    ended = Confirmation.objects.filter(order__in=rejected).select_related("order")
    for confirmation in ended.order_by("order", "-pk").distinct("order"):
        found[confirmation.order_id] = failure_of(confirmation)
    return found
