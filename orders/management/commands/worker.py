"""``manage.py worker``: settle confirmations in the background."""

import asyncio
import signal
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import structlog
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connection
from procrastinate import PsycopgConnector
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import ConnectorException

from orders import outgoing
from orderservice import garbage, migrations, tracing
from orderservice.metrics import reports

# Seconds: before another start when the database was lost, doubling up to the last, which is about
# what a worker is late when the database is back. Who has worked for longer begins with the first.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 4.0
SOUND = 15.0
POOL_PATIENCE = 10.0
BETWEEN_LOOKS = 2.0  # while migrations are missing
LOST = (ConnectorException, psycopg.OperationalError, OperationalError, InterfaceError)

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT; then what is under way ends its step, and nothing begins."""

    help = "Settle confirmations in the background, until SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--concurrency",
            type=int,
            default=outgoing.most_calls(),
            help="confirmations at a time (default: %(default)s, by WEB_THREADS)",
        )

    def handle(self, *, concurrency: int, **options: Any) -> None:
        reports.start("worker")
        tracing.start()
        garbage.settle()
        try:
            # A mail server that hangs holds one: the rest have as many as without it.
            asyncio.run(run(max(1, concurrency) + settings.SENDS_MAIL))
        finally:  # however it ended
            reports.finish()
            tracing.stop()


async def run(concurrency: int) -> None:
    """Work until asked to stop, starting anew whenever the database was lost."""
    loop = asyncio.get_running_loop()
    # One thread a job, and some for the worker's own; the default would depend on the machine.
    loop.set_default_executor(ThreadPoolExecutor(concurrency + 2))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    stopping = asyncio.create_task(stop.wait())
    pause = FIRST_PAUSE
    while not stop.is_set():
        started = loop.time()
        work = asyncio.create_task(_work(concurrency))
        await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            work.cancel()  # procrastinate takes this for a request to stop gracefully
        failure = (await asyncio.gather(work, return_exceptions=True))[0]
        if stop.is_set():
            break
        if failure and not isinstance(failure, LOST):
            raise failure
        # Without a failure it was one of procrastinate's own tasks, which has logged it.
        pause = FIRST_PAUSE if loop.time() - started > SOUND else pause
        log.warning("worker_lost_database", retry_in=pause, error=failure or "")
        await asyncio.wait({stopping}, timeout=pause)
        pause = min(pause * 2, LONGEST_PAUSE)
    log.info("worker_stopped")


async def _work(concurrency: int) -> None:
    """Run procrastinate's worker on connections of its own; cancelling stops it gracefully."""
    while missing := await asyncio.to_thread(_missing_migrations):
        # A release's worker may start before its migrations. What it sends to the inventory on
        # tables that it does not know, it could not write down.
        log.warning("worker_waits_for_migrations", missing=missing)
        await asyncio.sleep(BETWEEN_LOOKS)
    url = settings.WORKER_DATABASE_URL
    where: dict[str, Any] = {"conninfo": url} if url else {"kwargs": connector_params()}
    connector = PsycopgConnector(**where, min_size=1, max_size=4, timeout=POOL_PATIENCE)
    with app.replace_connector(connector) as worker_app:
        async with worker_app.open_async():
            log.info("worker_started", concurrency=concurrency)
            await worker_app.run_worker_async(
                concurrency=concurrency,
                delete_jobs="always",
                install_signal_handlers=False,
                # No patience with jobs: they notice at once, end their step, and are waited for.
                shutdown_graceful_timeout=0,
            )


def _missing_migrations() -> int:
    try:
        return migrations.missing()
    finally:
        connection.close()  # it is this thread's, which has no other use for it
