"""The clock that deadlines and the send guard are measured on."""

from __future__ import annotations

import time

# A laptop lid or a paused virtual machine stops CLOCK_MONOTONIC, while the other side's clock runs
# on: a send that "just passed its guard" could then leave hours late. CLOCK_BOOTTIME counts sleep.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boottime() -> float:
    """Return the seconds since boot, sleep included; only differences between values mean much."""
    return time.clock_gettime(_CLOCK)
