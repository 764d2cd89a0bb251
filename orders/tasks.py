"""The background jobs: nudges to the ledger, which alone knows what is to be done, and chores."""

import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from procrastinate import BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status

from orders import lifecycle
from orders.actor import Actor
from orders.housekeeping import expiring, pruning
from orders.signin import resets
from orders.status import Door
from orderservice.metrics import reports

# Seconds.
PATIENCE = 3.0  # what is due later than this is left to the sweeper
NAP = 0.5  # at most, so that a stop is noticed
SHORTEST_NAP = 0.02  # for what is due, but in somebody else's hands
FIRST_PAUSE, LONGEST_PAUSE = 10, 300  # before a mail is tried again
BUSY_PAUSE = 3  # before one that found another on its way

log = structlog.get_logger(__name__)


@app.task(name="orders.settle", queueing_lock="orders.settle", pass_context=True)
def settle(context: JobContext) -> None:
    """Advance confirmations until none is due soon, or the worker is asked to stop.

    Several of these share the work. Each calls another to its side once, when it sees that there
    is more than it can do, so they grow to the worker's concurrency.
    """
    alone = True
    while not context.should_abort():
        advanced = lifecycle.advance_due()
        due_in = lifecycle.next_due_in()
        if due_in is None or due_in > PATIENCE:
            return
        if not advanced:
            time.sleep(min(max(due_in, SHORTEST_NAP), NAP))
        elif alone and due_in == 0:
            lifecycle.nudge()
            alone = False


@app.task(name="orders.batch", pass_context=True)
def carry_out(context: JobContext, batch_id: int) -> None:
    """Carry out what waits of a batch, unless the worker is asked to stop."""
    entry: int | None = 0
    while entry is not None and not context.should_abort():
        entry = lifecycle.carry_out_next(batch_id, after=entry)


class MailAgain(BaseRetryStrategy):
    """Try a mail again until nobody waits for it any more, whatever it fails for."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Return when, and in which line.

        All wait in one, behind the first, but a mail that fails alone: it lets the others pass.
        """
        args: dict[str, Any] = job.task_kwargs
        if resets.is_too_late(args["asked_at"]):
            resets.give_up(len(args["users"]) if "users" in args else 1, failure=exception)
            return None
        if isinstance(exception, resets.Busy):
            return RetryDecision(retry_in={"seconds": BUSY_PAUSE}, lock=resets.MAIL)
        if not isinstance(exception, resets.NotSent):
            # procrastinate's own line of what is tried again is no error: nobody would see it.
            log.error("reset_mail_failed", task=job.task_name, exc_info=exception)
        # By age, as tries count those that found another mail on its way: about 10 s, 40 s, 160 s.
        age = max(0, int(time.time()) - args["asked_at"])
        pause = min(FIRST_PAUSE + 3 * age, LONGEST_PAUSE)
        is_alone = not isinstance(exception, resets.NotSent) or exception.is_alone
        lock = f"{job.task_name}.{job.id}" if is_alone else resets.MAIL
        return RetryDecision(retry_in={"seconds": pause}, lock=lock)


@app.task(name=resets.ASKED, retry=MailAgain())
def reset_asked(users: list[int], asked_at: int) -> None:
    """See who of those with a forgotten password is sent a mail."""
    resets.answer(users, asked_at=asked_at)


@app.task(name=resets.MAIL, retry=MailAgain())
def reset_mail(user: int, asked_at: int) -> None:
    """Send one mail. A worker that dies while it does may have sent it: it is sent once more."""
    resets.send(user, asked_at=asked_at)


@app.periodic(cron="23 * * * *")
@app.task(name="orders.fold_metrics", queueing_lock="orders.fold_metrics")
def fold_metrics(timestamp: int) -> None:
    """Add up what processes had counted that are gone."""
    reports.fold()


@app.periodic(cron="27 * * * *")
@app.task(
    name="orders.expire", lock="orders.expire", queueing_lock="orders.expire", pass_context=True
)
def expire(context: JobContext, timestamp: int) -> None:
    """Cancel what is PENDING for longer than ``PENDING_EXPIRE_HOURS``; without it, do nothing.

    Ends in between when the worker is asked to stop: the next one finds the rest.
    """
    if settings.PENDING_EXPIRE_HOURS is None:
        return
    after = timedelta(hours=settings.PENDING_EXPIRE_HOURS)
    done: Counter[bool] = Counter()
    for each in expiring.expire(after, actor=Actor.system(Door.WORKER)):
        done[each.why_not is None] += 1
        if context.should_abort():
            break
    if done:
        log.info("orders_expired", cancelled=done[True], left=done[False])


@app.periodic(cron="43 3 * * *")
@app.task(name="orders.prune", lock="orders.prune", queueing_lock="orders.prune", pass_context=True)
def prune(context: JobContext, timestamp: int) -> None:
    """Delete what is kept for long enough, until the worker is asked to stop."""
    rows: Counter[str] = Counter()
    for each in pruning.prune():
        rows[each.kind] += each.rows
        if context.should_abort():
            break
    log.info("pruned", rows=dict(rows))


@app.periodic(cron="* * * * * */5")  # the sixth field is seconds
@app.task(name="orders.sweep", queueing_lock="orders.sweep", pass_context=True)
async def sweep(context: JobContext, timestamp: int) -> None:
    """Find what is due although no job says so, and forget the jobs of dead workers.

    Not those for mails, of which nothing but the job says that they are due.
    """
    jobs = context.app.job_manager
    for job in await jobs.get_stalled_jobs():
        with suppress(ConnectorException):  # another sweeper was faster
            if job.task_name in (resets.ASKED, resets.MAIL):
                await jobs.retry_job(job)
            else:
                await jobs.finish_job(job, Status.FAILED, delete_job=True)
    if await sync_to_async(lifecycle.next_due_in)() == 0:
        await sync_to_async(lifecycle.nudge)()
    for batch_id in await sync_to_async(lifecycle.unfinished_batches)():
        await sync_to_async(lifecycle.nudge_batch)(batch_id)
