"""The audit trail of exports, and how many may run at once."""

from collections.abc import Iterator
from threading import BoundedSemaphore

import structlog
from django.conf import settings
from django.db.models.functions import Now

from orders.actor import Actor
from orders.errors import Forbidden, OrderError
from orders.exports.writing import Chunk
from orders.models import Export
from orders.status import ExportKind, ExportOutcome

log = structlog.get_logger("orders.exports")

# A download holds its thread for as long as the client reads: so many of a process's threads at
# once, that the others serve the desk whatever those clients do.
_slots = BoundedSemaphore(max(1, settings.WEB_THREADS // 4))


class TooManyExports(OrderError):
    """As many exports run in this process as may; nothing was begun. ``retry_after`` in seconds."""

    code = "too_many_exports"
    retry_after = 10

    def __init__(self) -> None:
        super().__init__("Other exports are running; try again in a moment")


class Running:
    """An export's bytes on their way out. Whoever iterates must close it, however that ends."""

    def __init__(self, export: Export, chunks: Iterator[Chunk]) -> None:
        self._export = export
        self._chunks = chunks
        self._rows = 0
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            chunk = next(self._chunks)
        except StopIteration:
            self._end(ExportOutcome.COMPLETE)
            raise
        except Exception:
            # The head has left with a 200: all that can be done is to end without the end of the
            # body, which the client sees as a failed download.
            log.exception("export_failed", export=self._export.pk, rows=self._rows)
            raise
        self._rows += chunk.rows
        return chunk.data

    def close(self) -> None:
        """Note that it was broken off, unless it has come to its end."""
        self._end(ExportOutcome.BROKEN_OFF)

    def _end(self, outcome: ExportOutcome) -> None:
        if self._ended:
            return
        self._ended = True
        _slots.release()
        try:
            Export.objects.filter(pk=self._export.pk).update(
                outcome=outcome, rows=self._rows, ended_at=Now()
            )
        except Exception:  # the file has left all the same; the row stays "started", and says so
            log.exception("export_not_recorded", export=self._export.pk, rows=self._rows)
        log.info("export", export=self._export.pk, outcome=outcome, rows=self._rows)


def begin(
    kind: ExportKind, chunks: Iterator[Chunk], *, actor: Actor, selection: str = ""
) -> Running:
    """Write down who takes out what, and return the bytes, which nothing has been read of yet.

    ``selection`` is what the orders were chosen by. Raises `Forbidden`, and `TooManyExports` when
    no more may run.
    """
    if actor.user is None or not actor.may_export(kind):
        raise Forbidden("export")
    if not _slots.acquire(blocking=False):
        raise TooManyExports
    try:
        export = Export.objects.create(user=actor.user, kind=kind, selection=selection)
    except BaseException:
        _slots.release()
        raise
    return Running(export, chunks)
