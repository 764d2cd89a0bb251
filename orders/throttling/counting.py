"""One more request of a client, and whether that is one too many.

A window begins with a client's first request and holds until its time is up; then the next begins.
The count is one atomic statement, so that requests at once in many processes are all counted: to
read a count and write it back would lose some.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from orders import retention
from orders.models import RateCount
from orders.throttling import shared_memory
from orderservice.postgresql import prepared
from orderservice.rates import Rate, Scope

# The database's clock is the one clock that all processes have. Nothing is counted beyond what an
# integer holds.
_COUNT = """
    INSERT INTO orders_ratecount AS counted (key, since, hits)
    VALUES (%(key)s, clock_timestamp(), 1)
    ON CONFLICT (key) DO UPDATE SET
        hits = CASE WHEN counted.since > clock_timestamp() - make_interval(secs => %(window)s)
                    THEN LEAST(counted.hits + 1, 2000000000) ELSE 1 END,
        since = CASE WHEN counted.since > clock_timestamp() - make_interval(secs => %(window)s)
                     THEN counted.since ELSE excluded.since END
    RETURNING hits,
              extract(epoch FROM since + make_interval(secs => %(window)s) - clock_timestamp())
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a client has left after a request; ``reset`` in whole seconds until it has all again."""

    scope: Scope
    rate: Rate
    hits: int
    reset: int

    @property
    def allowed(self) -> bool:
        """Whether the request is within the rate."""
        return self.hits <= self.rate.limit

    @property
    def remaining(self) -> int:
        """How many more requests are within it."""
        return max(0, self.rate.limit - self.hits)


def take(scope: Scope, who: str) -> Taken | None:
    """Count a request of a client, and return what is left; None where nothing is limited.

    ``who`` is a credential or an address, 80 characters at most. Raises what a database that can't
    be asked does.
    """
    rate = settings.API_THROTTLES.rates.get(scope)
    if rate is None:
        return None
    key = f"{scope}:{who}"
    hits, left = shared_memory.count(key, rate.seconds) or _count(key, rate.seconds)
    return Taken(scope, rate, hits, min(max(1, math.ceil(left)), rate.seconds))


def stale() -> QuerySet[RateCount]:
    """Return the counts whose windows are over."""
    return RateCount.objects.filter(since__lt=timezone.now() - retention.RATE_COUNTS)


def _count(key: str, seconds: int) -> tuple[int, float]:
    """Return the hits of the window, with this one, and the seconds that are left of it."""
    with prepared() as cursor:
        cursor.execute(_COUNT, {"key": key, "window": seconds})
        hits, left = cursor.fetchone()
    return hits, float(left)
