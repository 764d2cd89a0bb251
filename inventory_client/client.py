"""The client of the inventory service: every outcome typed by whether stock may have moved."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

from inventory_client import answers
from inventory_client.answers import Adjusted, Answer, Availability, BadAnswer, Health, StockLevel
from inventory_client.breaker import Breaker
from inventory_client.dialects import DIALECTS, failure, observation
from inventory_client.errors import InventoryError, NotYet, OutcomeUnknown, Rejected, Unavailable
from inventory_client.wire import Wire, WireFailure

MAX_REASON_LENGTH = 200
# Beyond a database integer the upstream answers 500 with its stock untouched; do not even ask.
MAX_QUANTITY = 2**31 - 1
_HEADER_VALUE = re.compile(r"[\x21-\x7e]{1,200}")
# What speaks against the inventory as a whole; a refusal or a throttle proves that it is alive.
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
T = TypeVar("T")


def is_addressable(product_id: str) -> bool:
    """Tell whether an id can stand in a URL as one path segment and arrive as what it is.

    HTTP clients rewrite ``.`` and ``..``, the upstream splits at an encoded slash, and some proxies
    take a backslash for one. A lone surrogate has no bytes at all.
    """
    if product_id in ("", ".", "..") or "/" in product_id or "\\" in product_id:
        return False
    return not any("\ud800" <= character <= "\udfff" for character in product_id)


class InventoryClient:
    """Checks, reads and changes stock over HTTP; safe to share between threads.

    Timeouts are totals in seconds: ``check_timeout`` for calls that only ask, ``timeout`` for those
    that change stock. After ``breaker_failures`` failures in a row calls fail at once, save for one
    probe each ``breaker_seconds``. ``ca_file`` names the authorities to trust instead of certifi's.
    """

    def __init__(
        self,
        base_url: str,
        *,
        dialect: str = "inventory",
        api_key: str | None = None,
        check_timeout: float = 3.0,
        timeout: float = 10.0,
        connect_timeout: float = 2.0,
        breaker_failures: int = 5,
        breaker_seconds: float = 5.0,
        pool_size: int = 32,
        ca_file: str | None = None,
    ) -> None:
        """Prepare the session; nothing is sent. Raises ValueError on an unusable setting."""
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the inventory URL must be http:// or https:// and name a host")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("the inventory URL must hold no credentials, query or fragment")
        if dialect not in DIALECTS:
            raise ValueError(f"the inventory dialect must be one of {', '.join(DIALECTS)}")
        self._base_url = base_url.rstrip("/")
        self._dialect = DIALECTS[dialect]
        self._check_timeout = check_timeout
        self._timeout = timeout
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "order-service",
        }
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._breaker = Breaker(failures=breaker_failures, open_seconds=breaker_seconds)
        self._wire = Wire(connect_timeout=connect_timeout, pool_size=pool_size, ca_file=ca_file)

    def check(
        self, quantities: Mapping[str, int], *, request_id: str | None = None
    ) -> list[Availability]:
        """Ask in one call whether each product has the quantity; answers come in the order asked.

        The lines of one product must be merged: the upstream compares each with the whole stock.
        Raises Unavailable; Rejected, before any call, on an impossible id or quantity.
        """
        if not quantities:
            _refuse("invalid_request", "there is nothing to check")
        for product_id, quantity in quantities.items():
            _require_addressable(product_id)
            _require_quantity(quantity, lowest=1)
        items = [
            {"product_id": product_id, "required_quantity": quantity}
            for product_id, quantity in quantities.items()
        ]
        return self._ask(
            "POST",
            self._dialect.check_path,
            partial(answers.availabilities, quantities=quantities),
            payload={"items": items},
            request_id=request_id,
        )

    def read(self, product_id: str, *, request_id: str | None = None) -> StockLevel:
        """Read one product's stock.

        Raises Unavailable, with ``unknown_product`` as its code when there is no such product;
        Rejected, before any call, on an impossible id.
        """
        _require_addressable(product_id)
        return self._ask(
            "GET",
            self._dialect.read_path(product_id),
            partial(answers.stock_level, product_id=product_id),
            request_id=request_id,
        )

    def health(self) -> Health:
        """Ask the inventory how it is; raises Unavailable."""
        return self._ask("GET", self._dialect.health_path, answers.health)

    def adjust(
        self,
        product_id: str,
        delta: int,
        *,
        reason: str,
        idempotency_key: str,
        send_before: float | None = None,
        request_id: str | None = None,
    ) -> Adjusted:
        """Change a product's stock by ``delta``: below 0 deducts, above 0 restores.

        Nothing is sent once ``boottime()`` has reached ``send_before``. A call is made once and
        never repeated here. Raises Rejected or NotYet when the stock was certainly not changed,
        OutcomeUnknown when it may have been, or may still be.
        """
        _require_addressable(product_id)
        _require_quantity(delta, lowest=-MAX_QUANTITY)
        _require_reason(reason)
        if not _HEADER_VALUE.fullmatch(idempotency_key):
            _refuse("invalid_request", "the idempotency key can't stand in a header")
        path, payload = self._dialect.change(product_id, delta, reason)

        def attempt() -> Adjusted:
            try:
                answer = self._exchange(
                    "POST",
                    path,
                    payload=payload,
                    headers={"Idempotency-Key": idempotency_key},
                    timeout=self._timeout,
                    send_before=send_before,
                    request_id=request_id,
                )
            except WireFailure as exc:
                kind = OutcomeUnknown if exc.sent else NotYet
                raise kind(exc.code, detail=exc.detail) from exc
            try:
                return self._dialect.changed(answer, product_id, delta)
            except BadAnswer as exc:
                raise _bad_answer(OutcomeUnknown, answer, exc) from exc

        return self._through_breaker(attempt, NotYet)

    def _ask(
        self,
        method: str,
        path: str,
        parse: Callable[[Answer], T],
        *,
        payload: dict[str, Any] | None = None,
        request_id: str | None = None,
    ) -> T:
        """Make a call that changes nothing: whatever fails, the answer is unavailable."""

        def attempt() -> T:
            try:
                answer = self._exchange(
                    method,
                    path,
                    payload=payload,
                    timeout=self._check_timeout,
                    request_id=request_id,
                )
            except WireFailure as exc:
                raise Unavailable(exc.code, detail=exc.detail) from exc
            if answer.status != 200:
                code = observation(answer, self._dialect.said(answer))
                raise failure(Unavailable, code, answer, self._dialect)
            try:
                return parse(answer)
            except BadAnswer as exc:
                raise _bad_answer(Unavailable, answer, exc) from exc

        return self._through_breaker(attempt, Unavailable)

    def _through_breaker(self, attempt: Callable[[], T], refusal: type[InventoryError]) -> T:
        """Make the call if the breaker lets it out, and tell the breaker what came of it."""
        if wait := self._breaker.wait():
            raise refusal("breaker_open", retry_after=wait)
        try:
            result = attempt()
        except InventoryError as exc:
            if exc.code in _TROUBLE:
                self._breaker.failed()
            elif exc.code != "send_guard":  # which says nothing about the other side
                self._breaker.succeeded()
            raise
        self._breaker.succeeded()
        return result

    def _exchange(
        self,
        method: str,
        path: str,
        *,
        payload: dict[str, Any] | None,
        timeout: float,
        request_id: str | None,
        headers: Mapping[str, str] | None = None,
        send_before: float | None = None,
    ) -> Answer:
        sent_headers = {**self._headers, **(headers or {})}
        body = None
        if payload is not None:
            body = json.dumps(payload).encode()
            sent_headers["Content-Type"] = "application/json"
        # The request id is a stranger's text, for tracing only: one that would break the request
        # is dropped, as it must not stop a stock movement.
        if request_id is not None and _HEADER_VALUE.fullmatch(request_id):
            sent_headers["X-Request-ID"] = request_id
        return self._wire.exchange(
            method,
            self._base_url + path,
            body=body,
            headers=sent_headers,
            timeout=timeout,
            send_before=send_before,
        )


def _bad_answer(kind: type[InventoryError], answer: Answer, reason: BadAnswer) -> InventoryError:
    return kind(
        "bad_answer", detail=str(reason), http_status=answer.status, trace_id=answer.trace_id
    )


def _require_addressable(product_id: str) -> None:
    if not is_addressable(product_id):
        _refuse("invalid_product_id", "the product id can't stand in a URL")


def _require_quantity(quantity: int, *, lowest: int) -> None:
    whole = isinstance(quantity, int) and not isinstance(quantity, bool)
    if not whole or quantity == 0 or not lowest <= quantity <= MAX_QUANTITY:
        _refuse("invalid_request", "the quantity is not a whole number in range")


def _require_reason(reason: str) -> None:
    if not 1 <= len(reason) <= MAX_REASON_LENGTH:
        _refuse("invalid_request", f"the reason must have 1 to {MAX_REASON_LENGTH} characters")
    if not reason.isprintable():  # a lone surrogate is not; upstream it would be a 500
        _refuse("invalid_request", "the reason holds characters that can't be printed")


def _refuse(code: str, detail: str) -> NoReturn:
    raise Rejected(code, detail=detail)
