"""The errors of the clients: one root, each subtype the answer to "did it happen?"."""

from __future__ import annotations

from typing import Any

UNKNOWN_PRODUCT = "unknown_product"  # the code of a product that the inventory does not have


class ServiceError(Exception):
    """A call to a service that gave no usable result.

    ``code`` is stable and meant for programs; ``detail`` is what the other side said, shortened,
    and meant for people. ``retry_after`` is in seconds. ``http_status`` and ``trace_id`` are None
    when no answer came.
    """

    def __init__(
        self,
        code: str,
        *,
        detail: str = "",
        http_status: int | None = None,
        trace_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.http_status = http_status
        self.trace_id = trace_id
        self.retry_after = retry_after


class InventoryError(ServiceError):
    """A call to the inventory; ``available`` is the stock, where a refusal tells it."""

    def __init__(self, code: str, *, available: int | None = None, **more: Any) -> None:
        super().__init__(code, **more)
        self.available = available


class Rejected(InventoryError):
    """It did not happen, and asking again in the same way will not help.

    Codes: ``insufficient_stock`` (``available`` holds the stock, when the answer tells it),
    ``unknown_product``, ``misconfigured`` (wrong URL, prefix or key), ``redirected``,
    ``invalid_request``; and ``invalid_product_id``, refused here before any call.
    """


class NotYet(InventoryError):
    """It did not happen; the same call may be made again later.

    Codes: ``connect_failed`` (refused, DNS, TLS, connect timeout), ``throttled``, ``breaker_open``
    (both may carry ``retry_after``), ``send_guard`` (the moment to send had passed; nothing sent).
    """


class OutcomeUnknown(InventoryError):
    """It may have happened, or may still happen: never repeat it blindly.

    Codes: ``timeout``, ``connection_lost`` (reset, closed or cut short), ``oversized_answer``,
    ``bad_answer`` (a 200 that does not prove what was asked), ``server_error`` (5xx, 408),
    ``unexpected_status``.
    """


class Unavailable(InventoryError):
    """A check, a read or a health call has no usable answer; nothing was changed by asking.

    ``code`` is any of the codes above, of which callers tell ``unknown_product`` apart;
    ``out_of_time``, when the caller had less time than the service is given; or ``not_offered``,
    when the dialect has no such call.
    """


class CatalogueUnavailable(ServiceError):
    """The catalogue gave no usable answer; nothing was changed by asking.

    Codes: those above of a check or a read; and ``out_of_time``, when some products were answered
    for, or none was asked for yet, as the time was over.
    """
