"""How long things may take, in seconds, and why the ledger may rely on it.

A movement is sent at most GUARD after it was written down as sent, and answered or given up at
most the call's deadline later. So after LEASE its holder is dead or has lost it, and an answer
that is later than SETTLE after the deadline is assumed never to be applied.
"""

import random
from datetime import timedelta

from django.conf import settings

GUARD = 2.0
LEASE_MARGIN = 10.0
STAY = 2.0  # with calls that change stock, for a worker, which has others to see to
GATHER = 0.1  # for which an answer waits for others, to be written down with them
TURN = 5.0  # of several side by side: a slow one must not keep the others for long
BACKOFF_BASE = 0.25
BACKOFF_CAP = 10.0
LONGEST_WISH = 60.0  # of a Retry-After
BUSY_PRODUCT = 0.1  # before asking again for a product that somebody else holds
BUSY_PLACE = 0.03  # more for each movement that is to have it before
CHECK_AGAIN = 2.0  # before asking for availability again after no answer
YIELD_TO_OLDER = 0.5  # before asking again whether an earlier confirmation has had its turn
WAIT_FOR_REVERSAL = 2.0  # before asking again for stock that another order is about to return


def lease() -> timedelta:
    """Return for how long a claim or a call in flight belongs to its holder."""
    return timedelta(seconds=GUARD + settings.INVENTORY_TIMEOUT_SECONDS + LEASE_MARGIN)


def settle() -> timedelta:
    """Return from how long after ``sent_at`` on an unknown outcome may be read back.

    An upstream that honours keys need not be waited for: the same key can be sent again at once.
    """
    if settings.INVENTORY_HONOURS_IDEMPOTENCY:
        return timedelta(0)
    return timedelta(
        seconds=GUARD + settings.INVENTORY_TIMEOUT_SECONDS + settings.INVENTORY_SETTLE_SECONDS
    )


def backoff(tries: int, at_least: float = 0.0) -> timedelta:
    """Return how long to leave a service alone that failed ``tries`` times: full jitter.

    ``at_least`` is the service's own wish, heeded within reason: one header must not put stock
    that is on its way back to sleep for years.
    """
    ceiling = min(BACKOFF_CAP, BACKOFF_BASE * 2 ** min(tries, 10))
    return timedelta(seconds=min(at_least, LONGEST_WISH) + random.uniform(0.05, ceiling))  # noqa: S311
