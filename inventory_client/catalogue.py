"""The client of the catalogue: what the products of one order cost, asked at once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from decimal import Decimal, InvalidOperation
from functools import partial
from itertools import islice

from inventory_client.addresses import is_addressable, segment
from inventory_client.answers import Answer, BadAnswer
from inventory_client.clock import boottime
from inventory_client.dialects import observation
from inventory_client.errors import CatalogueUnavailable
from inventory_client.observing import Observer
from inventory_client.service import Service
from inventory_client.wire import WireFailure

AT_ONCE = 8
# A request ends by itself at the deadline, and knows best why; only one that looks up a name can't.
_GRACE = 0.1
_CENT = Decimal("0.01")
_BEYOND = Decimal(10) ** 16  # what a numeric(18,2) can't keep
_AMOUNT = re.compile(r"[0-9]{1,16}(\.[0-9]{1,16})?", re.ASCII)


class CatalogueClient:
    """Asks for prices over HTTP; safe to share between threads.

    ``timeout`` is the total in seconds for all products of one question. At most ``at_once``
    requests are under way, whoever asks: they are made by threads that start with the first
    question. After ``breaker_failures`` questions in a row that failed, questions fail at once,
    save for one probe each ``breaker_seconds``.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout: float = 3.0,
        connect_timeout: float = 2.0,
        at_once: int = AT_ONCE,
        breaker_failures: int = 5,
        breaker_seconds: float = 5.0,
        ca_file: str | None = None,
        observer: Observer | None = None,
    ) -> None:
        """Prepare the session; nothing is sent. Raises ValueError on an unusable setting."""
        self._service = Service(
            base_url,
            name="catalogue",
            connect_timeout=connect_timeout,
            breaker_failures=breaker_failures,
            breaker_seconds=breaker_seconds,
            pool_size=at_once,
            ca_file=ca_file,
            observer=observer,
        )
        self._timeout = timeout
        self._at_once = at_once
        self._start_threads()

    @property
    def is_shut_off(self) -> bool:
        """Whether questions fail at once, as too many in a row have failed."""
        return self._service.is_shut_off

    def prices(
        self, product_ids: Iterable[str], *, request_id: str | None = None
    ) -> dict[str, Decimal | None]:
        """Return what one piece of each product costs; None for those that are not known there.

        Raises CatalogueUnavailable, all or nothing: with the first failure the rest is not asked.
        """
        wanted = list(dict.fromkeys(product_ids))
        if not all(map(is_addressable, wanted)):
            raise CatalogueUnavailable("invalid_product_id", detail="an id can't stand in a URL")
        if self._owner != os.getpid():
            self._start_threads()
        # The breaker counts questions and not requests, or one order of many lines could open it.
        return self._service.through_breaker(
            "prices", partial(self._ask, wanted, request_id), CatalogueUnavailable
        )

    def _start_threads(self) -> None:
        """Make room for threads, which none of a fork's parent are; none is started yet."""
        self._owner = os.getpid()
        self._threads = ThreadPoolExecutor(self._at_once, thread_name_prefix="catalogue")

    def _ask(self, wanted: list[str], request_id: str | None) -> dict[str, Decimal | None]:
        deadline = boottime() + self._timeout
        found: dict[str, Decimal | None] = {}
        to_begin = iter(wanted)
        # No more than can be under way are handed out: a short order waits for few of a long one.
        running = {
            self._begin(product_id, deadline, request_id)
            for product_id in islice(to_begin, self._at_once)
        }
        try:
            while running:
                left = max(0.0, deadline + _GRACE - boottime())
                done, running = wait(running, timeout=left, return_when=FIRST_COMPLETED)
                if not done:
                    asked = any(each.running() for each in running)
                    raise CatalogueUnavailable("timeout" if asked else "out_of_time")
                found.update(each.result() for each in done)
                running |= {
                    self._begin(product_id, deadline, request_id)
                    for product_id in islice(to_begin, len(done))
                }
        except CatalogueUnavailable as exc:
            # Whoever answered some is alive, and had too little time for so many. Were that held
            # against it, a stranger's long orders could close the way to everybody's.
            if found and boottime() >= deadline:
                raise CatalogueUnavailable("out_of_time", detail=exc.code) from exc
            raise
        finally:
            for each in running:
                each.cancel()
        return found

    def _begin(
        self, product_id: str, deadline: float, request_id: str | None
    ) -> Future[tuple[str, Decimal | None]]:
        context = copy_context()  # what the observer's headers are of
        return self._threads.submit(context.run, self._one, product_id, deadline, request_id)

    def _one(
        self, product_id: str, deadline: float, request_id: str | None
    ) -> tuple[str, Decimal | None]:
        left = deadline - boottime()
        if left <= 0:
            raise CatalogueUnavailable("out_of_time")
        try:
            answer = self._service.exchange(
                "GET", f"/products/{segment(product_id)}", timeout=left, request_id=request_id
            )
        except WireFailure as exc:
            raise CatalogueUnavailable(exc.code, detail=exc.detail) from exc
        if answer.status == 404:
            return product_id, None
        if answer.status != 200:
            raise _failure(observation(answer, ""), answer)
        try:
            return product_id, price(answer, product_id)
        except BadAnswer as exc:
            raise _failure("bad_answer", answer, str(exc)) from exc


def price(answer: Answer, product_id: str) -> Decimal:
    """Read a product's price, a number or a string, with two decimals.

    An id that is a number is the one of its digits. Raises BadAnswer when the answer is another
    product's, and on a price that nobody could pay: below 0, in fractions of a cent, no number.
    """
    document = answer.document(parse_float=_exact)
    name, value = document.get("id"), document.get("price")
    if isinstance(name, int) and not isinstance(name, bool):
        name = str(name)
    if name != product_id:
        raise BadAnswer("the answer is another product's")
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise BadAnswer("price is no amount")
    amount = Decimal(value)
    if not 0 <= amount < _BEYOND or amount != amount.quantize(_CENT):
        raise BadAnswer("price is not an amount in cents")
    return abs(amount).quantize(_CENT)


def _exact(number: str) -> Decimal:
    try:
        return Decimal(number)
    except InvalidOperation as exc:  # its exponent has too many digits
        raise BadAnswer("a number is out of all bounds") from exc


def _failure(code: str, answer: Answer, detail: str = "") -> CatalogueUnavailable:
    return CatalogueUnavailable(
        code,
        detail=detail,
        http_status=answer.status,
        trace_id=answer.trace_id,
        retry_after=answer.retry_after,
    )
