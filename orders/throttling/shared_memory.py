"""The counts in Redis, where ``REDIS_URL`` names one; it is never needed, only faster."""

from __future__ import annotations

from functools import cache
from typing import Any

import structlog
from django.conf import settings

PATIENCE = 0.25  # seconds: a Redis that is slower than PostgreSQL is of no use

# The first request of a window sets its end. A key without one, from a Redis that lost its memory
# in between, gets it now.
_COUNT = """
    local hits = redis.call('INCR', KEYS[1])
    local left = redis.call('PTTL', KEYS[1])
    if left < 0 then
        left = tonumber(ARGV[1])
        redis.call('PEXPIRE', KEYS[1], left)
    end
    return {hits, left}
"""

log = structlog.get_logger(__name__)


def count(key: str, seconds: int) -> tuple[int, float] | None:
    """Return the hits of the window, with this one, and the seconds that are left of it.

    None without a Redis, and while it does not answer: then PostgreSQL counts.
    """
    if not settings.REDIS_URL:
        return None
    import redis  # noqa: PLC0415 - who has none need not wait for it to load

    try:
        hits, left = _script(settings.REDIS_URL)(keys=[f"rate:{key}"], args=[1000 * seconds])
    except redis.RedisError as exc:
        log.warning("redis_unavailable", error=type(exc).__name__)
        return None
    return int(hits), int(left) / 1000


@cache
def _script(url: str) -> Any:
    import redis  # noqa: PLC0415 - as in count

    client = redis.Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
    return client.register_script(_COUNT)
