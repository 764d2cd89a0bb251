"""What an instance does between SIGTERM and its end: it says that it goes, and serves on.

A balancer learns from /health/ready that it shall send nothing more, which takes it a check or
two. Until then requests come as before, and are answered as before. Only then does gunicorn stop.
docs/adr/0020-draining.md says why.
"""

from __future__ import annotations

import mmap
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter

# Shared memory: the arbiter writes it, and the processes that it forks read it.
_begun = mmap.mmap(-1, 1)


def has_begun() -> bool:
    """Tell whether this instance is about to stop."""
    return _begun[0] != 0


def before_stopping(arbiter: Arbiter, seconds: float) -> None:
    """Have SIGTERM begin the draining; so many seconds later, or at another SIGTERM, it ends."""
    if seconds <= 0:
        return
    stop = arbiter.handle_term

    def drain() -> None:
        if has_begun():
            stop()
        _begun[0] = 1
        arbiter.log.info("Draining for %g s", seconds)
        signal.setitimer(signal.ITIMER_REAL, seconds)

    signal.signal(signal.SIGALRM, lambda *_: arbiter.signal(signal.SIGTERM, None))
    arbiter.handle_term = drain
