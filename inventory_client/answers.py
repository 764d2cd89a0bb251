"""What the inventory answered, read strictly: nothing is coerced, nothing is assumed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

# What the caller's database can keep: a 64-bit count, and text without NUL and lone surrogates.
_MOST = 2**63 - 1
_LONGEST = 500
_STORABLE = re.compile("[^\0\ud800-\udfff]*")


@dataclass(frozen=True, slots=True)
class Availability:
    """One product's answer to a bulk check. An unknown product is not available and counts 0."""

    product_id: str
    available: bool
    current_quantity: int
    required_quantity: int


@dataclass(frozen=True, slots=True)
class StockLevel:
    """A product's stock as read; ``updated_at`` is the other side's own text, for comparison."""

    product_id: str
    quantity: int
    updated_at: str | None


@dataclass(frozen=True, slots=True)
class StockPage:
    """Some of the products, and how many pages all of them take."""

    levels: list[StockLevel]
    last_page: int


@dataclass(frozen=True, slots=True)
class Adjusted:
    """An applied change. What was read after the write may be of another change as well.

    ``updated_at`` is the other side's own text, None where it has none that can be kept.
    """

    product_id: str
    delta: int
    quantity: int
    trace_id: str | None
    updated_at: str | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """The inventory's own word on itself; it answers 200 also while its database is gone."""

    status: str
    database: str

    @property
    def ok(self) -> bool:
        """Tell whether its database is connected, the only part that stock calls need."""
        return self.database == "connected"


class BadAnswer(ValueError):
    """An answer that does not prove what was asked."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer."""

    status: int
    body: bytes
    trace_id: str | None = None
    retry_after: float | None = None

    def document(self, *, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
        """Return the body as a JSON object; ``parse_float`` reads its numbers with a fraction.

        Raises BadAnswer on anything else, also on the NaN and the UTF-16 that ``json`` would take.
        """
        try:
            value = json.loads(
                self.body.decode(), parse_float=parse_float, parse_constant=_refuse_constant
            )
        except (ValueError, RecursionError) as exc:
            raise BadAnswer("the answer is not JSON") from exc
        if not isinstance(value, dict):
            raise BadAnswer("the answer is not a JSON object")
        return value


def stock_level(answer: Answer, product_id: str) -> StockLevel:
    """Read an item; raises BadAnswer when it is another product's or lacks a count."""
    item = answer.document()
    _same_product(item, product_id)
    return _level(item, product_id)


def stock_page(answer: Answer, page: int) -> StockPage:
    """Read a page of the list; raises BadAnswer when it is another page, or no list."""
    document = answer.document()
    items = document.get("data")
    if not isinstance(items, list) or count(document, "current_page") != page:
        raise BadAnswer("the answer is not the page that was asked for")
    levels = []
    for item in items:
        product_id = item.get("product_id") if isinstance(item, dict) else None
        if not isinstance(product_id, str) or not _STORABLE.fullmatch(product_id):
            raise BadAnswer("an item names no product")
        levels.append(_level(item, product_id))
    return StockPage(levels, count(document, "last_page"))


def availabilities(answer: Answer, quantities: Mapping[str, int]) -> list[Availability]:
    """Read a bulk check, in the order asked.

    Raises BadAnswer unless it covers just the products and quantities that were asked for.
    """
    items = answer.document().get("items")
    if not isinstance(items, list) or len(items) != len(quantities):
        raise BadAnswer("the answer does not have one item for each product")
    found: dict[str, Availability] = {}
    for item in items:
        if not isinstance(item, dict):
            raise BadAnswer("an item is not a JSON object")
        product_id = item.get("product_id")
        if not isinstance(product_id, str) or product_id not in quantities:
            raise BadAnswer("the answer names a product that was not asked for")
        if count(item, "required_quantity") != quantities[product_id]:
            raise BadAnswer("the answer is for another quantity")
        if not isinstance(item.get("available"), bool):
            raise BadAnswer("available is not true or false")
        found[product_id] = Availability(
            product_id=product_id,
            available=item["available"],
            current_quantity=count(item, "current_quantity"),
            required_quantity=quantities[product_id],
        )
    if len(found) != len(quantities):
        raise BadAnswer("the answer names a product twice")
    return [found[product_id] for product_id in quantities]


def health(answer: Answer) -> Health:
    """Read a health answer; raises BadAnswer when it does not tell of the database."""
    document = answer.document()
    status, database = _text(document, "status"), _text(document, "database")
    if status is None or database is None:
        raise BadAnswer("the answer does not tell of the database")
    return Health(status=status, database=database)


def count(item: Mapping[str, Any], field: str) -> int:
    """Return a count; raises BadAnswer on ``"3"``, ``3.0``, ``true``, -3 and 64 bits and more."""
    value = item.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise BadAnswer(f"{field} is not a whole number from 0 to {_MOST}")
    return value


def adjusted(answer: Answer, product_id: str, delta: int, quantity_field: str) -> Adjusted:
    """Read the item that an applied change answers; raises BadAnswer when it is another's."""
    item = answer.document()
    _same_product(item, product_id)
    quantity = count(item, quantity_field)
    updated_at = None
    with suppress(BadAnswer):  # which is of no matter for a change that was applied
        updated_at = _text(item, "updated_at")
    return Adjusted(product_id, delta, quantity, answer.trace_id, updated_at)


def _level(item: Mapping[str, Any], product_id: str) -> StockLevel:
    return StockLevel(
        product_id=product_id,
        quantity=count(item, "quantity"),
        updated_at=_text(item, "updated_at"),
    )


def _same_product(item: Mapping[str, Any], product_id: str) -> None:
    if item.get("product_id") != product_id:
        raise BadAnswer("the answer is another product's")


def _text(item: Mapping[str, Any], field: str) -> str | None:
    value = item.get(field)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > _LONGEST or not _STORABLE.fullmatch(value):
        raise BadAnswer(f"{field} is not text that can be kept")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise BadAnswer(f"{name} is not JSON")
