"""What processes share for a moment, where ``REDIS_URL`` names a Redis; it is never needed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

PATIENCE = 0.25  # seconds: what is kept is had anew in about that time

log = structlog.get_logger(__name__)


def _or_nothing(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def tried(self: Any, key: str, *args: Any, **options: Any) -> Any:
        try:
            return method(self, key, *args, **options)
        except RedisError as exc:
            log.warning("redis_unavailable", error=type(exc).__name__)
            return options.get("default")

    return tried


class SharedCache(RedisCache):
    """Django's Redis cache, empty while there is no answer: nobody's page fails for it."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
        super().__init__(server, params | {"OPTIONS": options | params.get("OPTIONS", {})})

    get = _or_nothing(RedisCache.get)
    set = _or_nothing(RedisCache.set)
    delete = _or_nothing(RedisCache.delete)
