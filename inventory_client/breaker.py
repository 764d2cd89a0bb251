"""A circuit breaker: a dead service must not cost every thread a full timeout."""

from __future__ import annotations

import threading

from inventory_client.clock import boottime

REMEMBERED = 300.0  # seconds that an open door is told of without another failure


# Own code, as no kept library fits threads: pybreaker holds its lock during the whole call, so one
# slow call stops all others; circuitbreaker and purgatory take none, so each waiting thread probes.
class Breaker:
    """Opens after ``failures`` failures in a row, then admits one probe every ``open_seconds``.

    It keeps no "half-open" state: a probe extends the closed door by its own turn, so that a probe
    which never reports (its thread died) can't leave the breaker shut for good.
    """

    def __init__(self, *, failures: int, open_seconds: float) -> None:
        self._limit = failures
        self._open_seconds = open_seconds
        self._lock = threading.Lock()
        self._failed = 0
        self._failed_at = self._next_probe = 0.0

    @property
    def is_open(self) -> bool:
        """Whether so many calls in a row have failed that only probes go out.

        No longer than `REMEMBERED` after the last failure: where nobody asks, nobody probes, and
        what was found out by then says nothing of the other side as it is now.
        """
        with self._lock:
            return self._failed >= self._limit and boottime() < self._failed_at + REMEMBERED

    def wait(self) -> float:
        """Return 0 when a call may go out now, else the seconds until the next probe."""
        with self._lock:
            if self._failed < self._limit:
                return 0.0
            now = boottime()
            if now < self._next_probe:
                return self._next_probe - now
            self._next_probe = now + self._open_seconds
            return 0.0

    def succeeded(self) -> None:
        """Note that the other side answered as itself: the door is open again."""
        with self._lock:
            self._failed = 0

    def failed(self) -> None:
        """Note a failure, which at the limit shuts the door for ``open_seconds``."""
        with self._lock:
            self._failed += 1
            self._failed_at = boottime()
            if self._failed >= self._limit:
                self._next_probe = self._failed_at + self._open_seconds
