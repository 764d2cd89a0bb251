"""The one pool of connections: a request in, a complete answer or a typed failure out."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

from inventory_client.answers import Answer
from inventory_client.connection import (
    MAX_BODY_BYTES,
    AnswerTooLarge,
    Exchange,
    Pool,
    SecurePool,
    SendGuardPassed,
    current_exchange,
)

HEADER_VALUE = re.compile(r"[\x21-\x7e]{1,200}")  # what a header, a log and a database can keep
_MAX_TRACE_ID = 200


class WireFailure(Exception):
    """An exchange without a complete answer; ``sent`` tells whether a byte of it may have left."""

    def __init__(self, code: str, *, sent: bool, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.sent = sent
        self.detail = detail


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": Pool, "https": SecurePool}


class Wire:
    """A pool of connections to one service; threads share it, each with its own connection.

    It uses the adapter of requests without its session, whose cookies, redirects, proxies and
    hooks we would only have to turn off, and which cost a quarter of a call.
    """

    def __init__(self, *, connect_timeout: float, pool_size: int, ca_file: str | None) -> None:
        self._connect_timeout = connect_timeout
        self._adapter = _Adapter(pool_maxsize=pool_size, max_retries=0)
        self._verify = ca_file or True

    def exchange(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None,
        headers: Mapping[str, str],
        timeout: float,
        send_before: float | None = None,
    ) -> Answer:
        """Make one request and return its complete answer, whatever its status.

        Connects if need be, checks the send guard, writes, reads; never redirects, never retries.
        ``timeout`` is the total in seconds (the lookup of the name alone can't be interrupted),
        ``send_before`` an instant of ``boottime()``. Raises WireFailure.
        """
        limits = Exchange(
            timeout=timeout, connect_timeout=self._connect_timeout, send_before=send_before
        )
        token = current_exchange.set(limits)
        try:
            response = self._adapter.send(
                _prepared(method, url, headers, body),
                stream=True,
                timeout=timeout,
                verify=self._verify,
            )
            with contextlib.closing(response):
                content = _content(response)
        except SendGuardPassed as exc:
            raise WireFailure("send_guard", sent=False, detail=str(exc)) from exc
        except AnswerTooLarge as exc:
            raise WireFailure("oversized_answer", sent=True, detail=str(exc)) from exc
        except Exception as exc:
            # Three libraries raise here, each in its own words; what counts is how far it came.
            if not limits.sent:
                code = "connect_failed"
            else:
                code = "timeout" if limits.timed_out else "connection_lost"
            raise WireFailure(code, sent=limits.sent, detail=type(exc).__name__) from exc
        finally:
            current_exchange.reset(token)
        return Answer(
            status=response.status_code,
            body=content,
            trace_id=_trace_id(response.headers.get("x-trace-id", "")[:_MAX_TRACE_ID]),
            retry_after=_seconds(response.headers.get("Retry-After")),
        )


def _prepared(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None
) -> requests.PreparedRequest:
    """Return a request as it is sent; ``url`` is one that nothing need be escaped in."""
    request = requests.PreparedRequest()
    request.method = method
    request.url = url
    request.headers = CaseInsensitiveDict(headers)
    request.body = body
    if body is not None:
        request.headers["Content-Length"] = str(len(body))
    return request


def _trace_id(text: str) -> str | None:
    """Return the other side's id of the call; None for what is none."""
    return text if HEADER_VALUE.fullmatch(text) else None


def _content(response: requests.Response) -> bytes:
    """Read the whole body as sent; urllib3 raises when it ends before its Content-Length."""
    content = bytearray()
    while piece := response.raw.read(MAX_BODY_BYTES + 1 - len(content), decode_content=False):
        content += piece
        if len(content) > MAX_BODY_BYTES:
            raise AnswerTooLarge("the answer is too large")
    return bytes(content)


def _seconds(retry_after: str | None) -> float | None:
    """Read a Retry-After, which is a number of seconds or a date (RFC 9110, 10.2.3)."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
