"""A service behind a URL: what every client of one shares, whatever it asks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from inventory_client.addresses import base_url
from inventory_client.answers import Answer
from inventory_client.breaker import Breaker
from inventory_client.errors import ServiceError
from inventory_client.observing import Observer
from inventory_client.wire import HEADER_VALUE, Wire

# What speaks against the service as a whole; a refusal or a throttle proves that it is alive.
_TROUBLE = frozenset(
    {
        "connect_failed",
        "timeout",
        "connection_lost",
        "oversized_answer",
        "bad_answer",
        "server_error",
    }
)
# What says nothing about the other side: that our own time was over.
_SILENT = frozenset({"send_guard", "out_of_time"})
T = TypeVar("T")


class Service:
    """One HTTP service: its address, its pooled connections and its breaker; threads share it."""

    def __init__(
        self,
        url: str,
        *,
        name: str,
        connect_timeout: float,
        breaker_failures: int,
        breaker_seconds: float,
        pool_size: int,
        api_key: str | None = None,
        ca_file: str | None = None,
        observer: Observer | None = None,
    ) -> None:
        """Prepare the pool; nothing is sent. Raises ValueError on a URL that is unusable."""
        self._base_url = base_url(url, name)
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "order-service",
        }
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._observer = observer or Observer()
        self._breaker = Breaker(failures=breaker_failures, open_seconds=breaker_seconds)
        self._wire = Wire(connect_timeout=connect_timeout, pool_size=pool_size, ca_file=ca_file)

    @property
    def is_shut_off(self) -> bool:
        """Whether calls fail at once, save for a probe now and then."""
        return self._breaker.is_open

    def through_breaker(
        self, call: str, attempt: Callable[[], T], refusal: type[ServiceError]
    ) -> T:
        """Make the call if the breaker lets it out, and tell the breaker what came of it."""
        if wait := self._breaker.wait():
            self._observer.ended(call, "breaker_open", None)
            raise refusal("breaker_open", retry_after=wait)
        outcome = "failed"
        began = time.perf_counter()
        try:
            with self._observer.around(call):
                result = attempt()
        except ServiceError as exc:
            outcome = exc.code
            if exc.code in _TROUBLE:
                self._breaker.failed()
            elif exc.code not in _SILENT:
                self._breaker.succeeded()
            raise
        else:
            outcome = "answered"
            self._breaker.succeeded()
            return result
        finally:
            self._observer.ended(call, outcome, time.perf_counter() - began)

    def exchange(
        self,
        method: str,
        path: str,
        *,
        timeout: float,
        request_id: str | None,
        payload: dict[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        send_before: float | None = None,
    ) -> Answer:
        """Make one request; returns its complete answer, whatever its status, or raises as `Wire`.

        ``timeout`` is the total in seconds, ``send_before`` an instant of ``boottime()``.
        """
        sent_headers = {**self._headers, **self._observer.headers(), **(headers or {})}
        body = None
        if payload is not None:
            body = json.dumps(payload).encode()
            sent_headers["Content-Type"] = "application/json"
        # The request id is a stranger's text, for tracing only: one that would break the request
        # is dropped, as it must not stop a stock movement.
        if request_id is not None and HEADER_VALUE.fullmatch(request_id):
            sent_headers["X-Request-ID"] = request_id
        return self._wire.exchange(
            method,
            self._base_url + path,
            body=body,
            headers=sent_headers,
            timeout=timeout,
            send_before=send_before,
        )
