"""The client of the inventory service: every outcome typed by whether stock may have moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NoReturn, TypeVar

from inventory_client import answers
from inventory_client.addresses import is_addressable
from inventory_client.answers import Adjusted, Answer, Availability, BadAnswer, Health, StockLevel
from inventory_client.clock import boottime
from inventory_client.dialects import DIALECTS, failure, observation
from inventory_client.errors import InventoryError, NotYet, OutcomeUnknown, Rejected, Unavailable
from inventory_client.observing import Observer
from inventory_client.service import Service
from inventory_client.wire import HEADER_VALUE, WireFailure

MAX_REASON_LENGTH = 200
# Beyond a database integer the upstream answers 500 with its stock untouched; do not even ask.
MAX_QUANTITY = 2**31 - 1
T = TypeVar("T")


class InventoryClient:
    """Checks, reads and changes stock over HTTP; safe to share between threads.

    Timeouts are totals in seconds: ``check_timeout`` for calls that only ask, ``timeout`` for those
    that change stock; who asks may have less time, and says so by ``within``. After
    ``breaker_failures`` failures in a row calls fail at once, save for one probe each
    ``breaker_seconds``. ``ca_file`` names the authorities to trust instead of certifi's.
    ``observer`` is told of each call.
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
        observer: Observer | None = None,
    ) -> None:
        """Prepare the pool; nothing is sent. Raises ValueError on an unusable setting."""
        self._service = Service(
            base_url,
            name="inventory",
            api_key=api_key,
            connect_timeout=connect_timeout,
            breaker_failures=breaker_failures,
            breaker_seconds=breaker_seconds,
            pool_size=pool_size,
            ca_file=ca_file,
            observer=observer,
        )
        if dialect not in DIALECTS:
            raise ValueError(f"the inventory dialect must be one of {', '.join(DIALECTS)}")
        self._dialect = DIALECTS[dialect]
        self._check_timeout = check_timeout
        self._timeout = timeout

    @property
    def is_shut_off(self) -> bool:
        """Whether calls fail at once, as too many in a row have failed."""
        return self._service.is_shut_off

    def check(
        self,
        quantities: Mapping[str, int],
        *,
        request_id: str | None = None,
        within: float | None = None,
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
            "check",
            "POST",
            self._dialect.check_path,
            partial(answers.availabilities, quantities=quantities),
            payload={"items": items},
            request_id=request_id,
            within=within,
        )

    def read(
        self, product_id: str, *, request_id: str | None = None, within: float | None = None
    ) -> StockLevel:
        """Read one product's stock.

        Raises Unavailable, with ``unknown_product`` as its code when there is no such product;
        Rejected, before any call, on an impossible id.
        """
        _require_addressable(product_id)
        return self._ask(
            "read",
            "GET",
            self._dialect.read_path(product_id),
            partial(answers.stock_level, product_id=product_id),
            request_id=request_id,
            within=within,
        )

    def levels(self) -> Iterator[StockLevel]:
        """Read the stock of every product, page by page.

        What comes or goes meanwhile may be read twice, or not at all. Raises Unavailable, with
        ``not_offered`` as its code in a dialect that has no such list.
        """
        page, last = 1, 1
        while page <= last:
            path = self._dialect.page_path(page)
            if path is None:
                raise Unavailable("not_offered", detail="this dialect has no list of products")
            found = self._ask("list", "GET", path, partial(answers.stock_page, page=page))
            yield from found.levels
            page, last = page + 1, found.last_page if found.levels else page

    def health(self) -> Health:
        """Ask the inventory how it is; raises Unavailable."""
        return self._ask("health", "GET", self._dialect.health_path, answers.health)

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
        if not HEADER_VALUE.fullmatch(idempotency_key):
            _refuse("invalid_request", "the idempotency key can't stand in a header")
        path, payload = self._dialect.change(product_id, delta, reason)

        def attempt() -> Adjusted:
            try:
                answer = self._service.exchange(
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

        return self._service.through_breaker("adjust", attempt, NotYet)

    def _ask(
        self,
        call: str,
        method: str,
        path: str,
        parse: Callable[[Answer], T],
        *,
        payload: dict[str, Any] | None = None,
        request_id: str | None = None,
        within: float | None = None,
    ) -> T:
        """Make a call that changes nothing: whatever fails, the answer is unavailable."""
        timeout = self._check_timeout if within is None else min(within, self._check_timeout)
        over = boottime() + timeout

        def attempt() -> T:
            try:
                answer = self._service.exchange(
                    method, path, payload=payload, timeout=timeout, request_id=request_id
                )
            except WireFailure as exc:
                # Our own haste says nothing of the service, and must not open the breaker.
                hasty = timeout < self._check_timeout and boottime() >= over
                raise Unavailable("out_of_time" if hasty else exc.code, detail=exc.detail) from exc
            if answer.status != 200:
                code = observation(answer, self._dialect.said(answer))
                raise failure(Unavailable, code, answer, self._dialect)
            try:
                return parse(answer)
            except BadAnswer as exc:
                raise _bad_answer(Unavailable, answer, exc) from exc

        return self._service.through_breaker(call, attempt, Unavailable)


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
