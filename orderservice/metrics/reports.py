"""What all processes have counted, in one table: any one of them answers for the whole service.

A process writes its own row and no other, so nothing is lost between them, and no file grows. What
it had counted stays when it is gone: its row is added to one that is kept for all who are.
docs/adr/0018-metrics.md says why not each process by itself.
"""

from __future__ import annotations

import os
import threading
import uuid
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.utils import timezone
from prometheus_client import CollectorRegistry

from orders.models import ProcessReport
from orderservice.metrics import samples
from orderservice.metrics.instruments import REGISTRY
from orderservice.metrics.samples import Samples

EVERY = 5.0  # seconds between the reports of a process
STILL_THERE = timedelta(minutes=1)  # a process that counts nothing reports as often as this
FRESH = 2 * STILL_THERE  # what a process shows of its present counts for so long
GONE_AFTER = timedelta(minutes=10)  # without a report; one that comes back begins a new row

log = structlog.get_logger(__name__)


class Reporter:
    """Writes down what this process has counted; threads share it."""

    def __init__(self, role: str, registry: CollectorRegistry = REGISTRY) -> None:
        self._role = role
        self._registry = registry
        self._id = uuid.uuid4()
        self._lock = threading.Lock()
        self._base: Samples = {}  # what is in the row of those who are gone
        self._written: Samples | None = None
        self._reported_at = timezone.now()

    def report(self) -> None:
        """Write down what is new; raises as the database does."""
        with self._lock:
            counted = samples.without(samples.read(self._registry), self._base)
            now = timezone.now()
            if counted == self._written and now - self._reported_at < STILL_THERE:
                return
            ours = ProcessReport.objects.filter(pk=self._id)
            if not ours.update(samples=counted, reported_at=now):
                if self._written is not None:  # we were taken for gone: that much is kept already
                    self._base = samples.total(
                        [self._base, _lasting(self._written, self._registry)]
                    )
                    counted = samples.without(samples.read(self._registry), self._base)
                ProcessReport.objects.create(
                    id=self._id, role=self._role, reported_at=now, samples=counted
                )
            self._written, self._reported_at = counted, now

    def keep_reporting(self, stop: threading.Event) -> None:
        """Report every now and then until the stop; a database that is away is waited for."""
        while not stop.wait(EVERY):
            self.report_if_possible()

    def report_if_possible(self) -> None:
        """Report, and leave no connection behind."""
        try:
            self.report()
        except (DatabaseError, InterfaceError) as exc:
            log.warning("metrics_not_reported", error=type(exc).__name__)
        finally:
            connection.close()


_stop = threading.Event()
_own: tuple[int, Reporter] | None = None  # with the process: a fork has yet to make its own


def start(role: str) -> None:
    """Have a thread report what this process counts, where somebody may ask for it."""
    if settings.METRICS_TOKEN:
        _stop.clear()
        reporter = _reporter(role)
        threading.Thread(
            target=reporter.keep_reporting, args=[_stop], name="metrics", daemon=True
        ).start()


def finish() -> None:
    """Report for the last time, before the process ends."""
    if settings.METRICS_TOKEN:
        _stop.set()
        _reporter("command").report_if_possible()


def all_together() -> tuple[Samples, int]:
    """Return what all processes have counted, this one to the moment, and how many there are.

    Raises as the database does.
    """
    _reporter("web").report()
    return together()


def together(registry: CollectorRegistry = REGISTRY) -> tuple[Samples, int]:
    """Return what all processes have reported, and how many have lately."""
    fresh = timezone.now() - FRESH
    shown, alive = [], 0
    for report in ProcessReport.objects.all():
        is_alive = report.reported_at > fresh and report.pk != ProcessReport.GONE
        alive += is_alive
        shown.append(report.samples if is_alive else _lasting(report.samples, registry))
    return samples.total(shown), alive


def fold(registry: CollectorRegistry = REGISTRY) -> int:
    """Add the rows of processes that are gone to the one that is kept; return how many."""
    now = timezone.now()
    with transaction.atomic():
        kept, _ = ProcessReport.objects.select_for_update().get_or_create(
            pk=ProcessReport.GONE, defaults={"role": "", "reported_at": now}
        )
        silent = ProcessReport.objects.exclude(pk=kept.pk).filter(reported_at__lt=now - GONE_AFTER)
        gone = list(silent.select_for_update())
        kept.samples = samples.total(
            [kept.samples, *(_lasting(each.samples, registry) for each in gone)]
        )
        kept.reported_at = now
        kept.save()
        ProcessReport.objects.filter(pk__in=[each.pk for each in gone]).delete()
    return len(gone)


def _lasting(shown: Samples, registry: CollectorRegistry) -> Samples:
    """Return what stays true of a process that is gone: its counts, not how it is."""
    return samples.only(
        shown, [family.name for family in registry.collect() if family.type != "gauge"]
    )


def _reporter(role: str) -> Reporter:
    """Return this process's reporter; a new one gets the role."""
    global _own
    if _own is None or _own[0] != os.getpid():
        _own = os.getpid(), Reporter(role)
    return _own[1]
