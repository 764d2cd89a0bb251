"""The garbage collector of a process that lives long and answers requests."""

import gc

NEW_OBJECTS = 50_000  # before a round; Python's own 700 is a round every few requests


def settle() -> None:
    """Leave what has been loaded by now out of all rounds, and make the rounds fewer.

    Every full round would look at some 600,000 objects of code and configuration, which never are
    garbage. What a request leaves behind mostly goes by its own count; the rest waits for a round,
    a few MB of it. A round also writes to each object that it looks at: who forks does this before,
    or no process shares them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 20, 50)
