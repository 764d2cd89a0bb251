"""One verb for many orders: opening the batch is a few statements, the worker carries it out."""

from collections.abc import Collection

import structlog
from django.db import OperationalError, transaction

from orders.actor import Actor
from orders.errors import Forbidden, OrderError
from orders.lifecycle import entries
from orders.lifecycle.doing import do
from orders.lifecycle.nudging import nudge, nudge_batch
from orders.lifecycle.records import record_requests, why_not_confirm
from orders.models import Batch, BatchEntry, Order
from orders.status import CancelReason, Door, EntryOutcome, HoldReason, OrderStatus, Verb
from orders.stock import ledger

log = structlog.get_logger(__name__)


def open_batch(
    verb: Verb,
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
    when the actor may do this to no order (what an order needs beyond that, its entry says), and
    `ValueError` for a word that is no such reason.
    """
    if verb is Verb.HOLD:
        HoldReason(reason)
    elif reason:
        CancelReason(reason)
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
        if verb is Verb.CONFIRM:
            _open_confirmations(batch)
    if verb is Verb.CONFIRM:
        nudge()
    else:
        nudge_batch(batch.pk)
    return batch


def confirm_many(numbers: Collection[int], *, actor: Actor) -> Batch:
    """Open a confirmation for each order that is PENDING and has none; see `open_batch`."""
    return open_batch(Verb.CONFIRM, numbers, actor=actor)


def retry(batch_id: int, *, actor: Actor) -> Batch:
    """Ask once more for what a batch was refused, in a batch of its own; see `open_batch`."""
    batch = Batch.objects.get(pk=batch_id)
    refused = batch.entries.filter(outcome=EntryOutcome.REFUSED)
    numbers = list(refused.values_list("order_id", flat=True))
    verb = Verb(batch.verb)
    return open_batch(verb, numbers, actor=actor, reason=batch.reason, note=batch.note)


def unfinished_batches() -> list[int]:
    """Return the batches that wait for a worker; those that confirm wait for the ledger alone."""
    waiting = BatchEntry.objects.filter(outcome="").exclude(batch__verb=Verb.CONFIRM)
    return list(waiting.values_list("batch_id", flat=True).distinct())


def carry_out_next(batch_id: int, *, after: int) -> int | None:
    """Do a batch's verb for its next waiting entry past ``after``; return that entry's key.

    None when there is none. Each verb can be repeated, so that it is harmless when two workers come
    upon one entry, or one dies between the verb and its outcome. An order that was being confirmed
    when it was to be cancelled keeps its entry waiting until its stock is back.
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
    except Exception:  # a bug at one order must not keep the others from their turn for ever
        log.exception("batch_entry_failed", batch=batch_id, order=entry.order_id)
        entries.end_one(entry, OrderError("Something went wrong on our side; it is in the log"))
    else:
        if done:
            entries.end_one(entry)
    return entry.pk


def _do(entry: BatchEntry) -> bool:
    """Do the verb as who asked for it, with their rights as they are now; tell whether it ended."""
    batch = entry.batch
    actor = Actor(via=Door(batch.via), user=batch.user, trusted=batch.user is None)
    order = do(
        Verb(batch.verb),
        entry.order_id,
        actor=actor,
        reason=batch.reason,
        note=batch.note,
        stay=0,
    )
    return batch.verb != Verb.CANCEL or order.status == OrderStatus.CANCELLED


def _open_confirmations(batch: Batch) -> None:
    """Open the confirmations that can be opened, and say of the other orders why not.

    What somebody else is confirming already is joined: its entry ends when that does.
    """
    orders = Order.objects.select_for_update(of=("self",)).filter(
        pk__in=batch.entries.values("order_id")
    )
    pending, refusals = [], list[tuple[int, OrderError | None]]()
    for order in orders.only("status", "hold_reason").order_by("pk"):
        refusal = why_not_confirm(order)
        if order.status == OrderStatus.CONFIRMED:
            refusals.append((order.pk, None))  # which is what was asked for
        elif refusal is not None:
            refusals.append((order.pk, refusal))
        else:
            pending.append(order.pk)
    opened = ledger.open_confirmations(pending, actor=batch.actor, via=batch.via, batch_id=batch.pk)
    record_requests(opened, actor=batch.actor, via=batch.via, batch_id=batch.pk)
    entries.end_many(batch, refusals)
