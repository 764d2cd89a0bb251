"""SIGTERM for a process that is the first of its container, from its first moment on.

The kernel gives PID 1 no default action: who has no handler, or not yet, is not ended by SIGTERM,
but killed when the platform's patience is over.
"""

import signal
import sys
from types import FrameType


def end_at_sigterm() -> None:
    """Have SIGTERM unwind the stack and exit with 143, until somebody has a handler of their own.

    What is not committed is rolled back, what must be closed is closed.
    """
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
