"""The two dialects of the inventory API: paths, bodies, and what each answer to a change proves."""

from __future__ import annotations

import re
from typing import Any, Protocol

from inventory_client.addresses import segment
from inventory_client.answers import Adjusted, Answer, BadAnswer, adjusted, count
from inventory_client.errors import (
    UNKNOWN_PRODUCT,
    InventoryError,
    NotYet,
    OutcomeUnknown,
    Rejected,
)

_STOCK_LEFT = re.compile(r"(?:current quantity|available)\D{1,3}(\d{1,18})\b", re.IGNORECASE)
_DETAIL_LENGTH = 300
_PAGE = 50  # products; the upstream gives 100 at most, but an answer has its limit, too


class Dialect(Protocol):
    """One way to talk to the inventory; everything that differs between them is in here."""

    check_path: str
    health_path: str

    def read_path(self, product_id: str) -> str:
        """Return the path of a product's item."""

    def page_path(self, page: int) -> str | None:
        """Return the path of a page of all products; None where there is no such list."""

    def change(self, product_id: str, delta: int, reason: str) -> tuple[str, dict[str, Any]]:
        """Return the path and the body of a POST that changes stock by ``delta``."""

    def said(self, answer: Answer) -> str:
        """Return the explanation in an answer of this dialect's own making, else ``""``."""

    def changed(self, answer: Answer, product_id: str, delta: int) -> Adjusted:
        """Return the applied change, or raise what the answer proves instead."""


class InventoryDialect:
    """The inventory service itself."""

    check_path = "/inventory/check-availability/bulk"
    health_path = "/health"

    def read_path(self, product_id: str) -> str:
        return f"/inventory/items/{segment(product_id)}"

    def page_path(self, page: int) -> str | None:
        return f"/inventory/items?page={page}&limit={_PAGE}"

    def change(self, product_id: str, delta: int, reason: str) -> tuple[str, dict[str, Any]]:
        path = f"/inventory/items/{segment(product_id)}/adjust"
        return path, {"quantity": delta, "reason": reason}

    def said(self, answer: Answer) -> str:
        return _texts(answer, "detail")

    def changed(self, answer: Answer, product_id: str, delta: int) -> Adjusted:
        if answer.status == 200:
            return adjusted(answer, product_id, delta, "quantity")
        code = observation(answer, self.said(answer))
        if code in ("server_error", "unexpected_status"):
            raise failure(OutcomeUnknown, code, answer, self)
        if code == "throttled":
            raise failure(NotYet, code, answer, self)
        raise failure(Rejected, code, answer, self)


class GatewayDialect:
    """The inventory behind the shop's gateway, which makes several calls for one of ours."""

    check_path = "/stock/check-availability/bulk"
    health_path = "/health"

    def read_path(self, product_id: str) -> str:
        return f"/stock/{segment(product_id)}"

    def page_path(self, page: int) -> str | None:
        return None

    def change(self, product_id: str, delta: int, reason: str) -> tuple[str, dict[str, Any]]:
        verb = "remove" if delta < 0 else "add"
        path = f"/stock/{segment(product_id)}/{verb}"
        return path, {"quantity": abs(delta), "reason": reason}

    def said(self, answer: Answer) -> str:
        return _texts(answer, "error", "message")

    def changed(self, answer: Answer, product_id: str, delta: int) -> Adjusted:
        if answer.status == 200:
            return self._applied(answer, product_id, delta)
        code = observation(answer, self.said(answer))
        if code == "insufficient_stock":
            raise failure(Rejected, code, answer, self)
        # Its other refusals may be those of a later upstream call, made after the one that counts.
        if code != "server_error":
            code = "unexpected_status"
        raise failure(OutcomeUnknown, code, answer, self)

    def _applied(self, answer: Answer, product_id: str, delta: int) -> Adjusted:
        document = answer.document()
        if document.get("success") is not True:
            raise BadAnswer("success is not true")
        moved = "quantity_removed" if delta < 0 else "quantity_added"
        if moved in document and count(document, moved) != abs(delta):
            raise BadAnswer("another quantity was moved")
        return adjusted(answer, product_id, delta, "new_quantity")


DIALECTS: dict[str, Dialect] = {"inventory": InventoryDialect(), "gateway": GatewayDialect()}


def observation(answer: Answer, said: str) -> str:
    """Name what an answer other than 200 is; what it proves depends on the dialect and the call."""
    match answer.status:
        case 400 if "insufficient stock" in said.casefold():
            return "insufficient_stock"
        case 400 | 422:
            return "invalid_request"
        case 404 if "Product " in said and said.endswith(" not found"):
            return UNKNOWN_PRODUCT
        case 401 | 403 | 404 | 405:
            return "misconfigured"
        case 429:
            return "throttled"
        case status if 300 <= status < 400:
            return "redirected"
        case status if status == 408 or 500 <= status < 600:
            return "server_error"
    # A status that the contract does not name proves nothing, a 201 or a 409 included.
    return "unexpected_status"


def failure(
    kind: type[InventoryError], code: str, answer: Answer, dialect: Dialect
) -> InventoryError:
    """Build the error of one kind that tells all an answer said."""
    said = dialect.said(answer)
    left = _STOCK_LEFT.search(said) if code == "insufficient_stock" else None
    return kind(
        code,
        detail=said[:_DETAIL_LENGTH],
        http_status=answer.status,
        trace_id=answer.trace_id,
        retry_after=answer.retry_after,
        available=int(left[1]) if left else None,
    )


def _texts(answer: Answer, *fields: str) -> str:
    """Join the texts of an explanation; one that lacks a field is somebody else's and says ""."""
    try:
        document = answer.document()
    except BadAnswer:
        return ""
    texts = [text for field in fields if isinstance(text := document.get(field), str)]
    return ": ".join(texts) if len(texts) == len(fields) else ""
