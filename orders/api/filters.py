"""What a list of orders may be asked for in its query string."""

import re
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from orders import limits
from orders.api.fields import Amount, Moment, Text, WholeNumber, Word
from orders.api.serializers import Strict
from orders.queries import Key, OrderFilter, Sort
from orders.status import OrderStatus, StockState

# The public names of what a list can be sorted by; a leading minus turns the order round.
SORTS = {
    "number": Sort.NUMBER,
    "createdAt": Sort.AGE,
    "updatedAt": Sort.UPDATED,
    "total": Sort.TOTAL,
}
MOST_PAGES = 1_000_000_000
# A moment in microseconds, of 17 digits at most, is one that the database has, too.
CURSOR = (
    r"-?(number\.[0-9]{1,18}|total\.[0-9]{1,18}\.[0-9]{1,18}"
    r"|(createdAt|updatedAt)\.[0-9]{1,17}\.[0-9]{1,18})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A page of a list: the one behind ``key``, or else the one that ``page`` counts to.

    Behind a key ``page`` is just a number that the caller keeps, None when they do not.
    """

    filter: OrderFilter
    sorted_by: str
    limit: int
    page: int | None
    key: Key | None

    @property
    def sort(self) -> Sort:
        """What the list is sorted by."""
        return SORTS[self.sorted_by.removeprefix("-")]

    @property
    def ascending(self) -> bool:
        """Whether the lowest or the oldest comes first."""
        return not self.sorted_by.startswith("-")

    @property
    def skip(self) -> int:
        """How many orders stand before the page; 0 where a key says it."""
        return 0 if self.key is not None or self.page is None else (self.page - 1) * self.limit

    def cursor(self, key: Key) -> str:
        """Return the address of a place in this list."""
        return f"{self.sorted_by}.{self.sort.text(key)}"


class Cursor(serializers.Field[tuple[str, Key], str, str, Any]):
    """A place in a list, and how that list is sorted."""

    default_error_messages = {"invalid": "Is none that a list has given"}

    def to_internal_value(self, data: str) -> tuple[str, Key]:
        """Return the public name of the sort, and the key."""
        if not re.fullmatch(CURSOR, data):
            self.fail("invalid")
        name, _, text = data.partition(".")
        return name, SORTS[name.removeprefix("-")].key(text)


class ListQuery(Strict):
    """The page, the filters and the order of a list."""

    page = WholeNumber(min_value=1, max_value=MOST_PAGES, required=False)
    cursor = Cursor(required=False)
    limit = WholeNumber(min_value=1, max_value=100, default=10)
    sort = Word(choices=[sign + name for name in SORTS for sign in ("", "-")], default="-number")
    status = Word(choices=list(OrderStatus), required=False)
    stock = Word(choices=list(StockState), required=False)
    q = Text(max_length=200, required=False)
    email = Text(max_length=limits.EMAIL_LENGTH, required=False)
    productId = Text(max_length=limits.PRODUCT_ID_LENGTH, source="product_id", required=False)
    userId = Text(max_length=limits.REFERENCE_LENGTH, source="user_id", required=False)
    createdFrom = Moment(source="created_from", required=False)
    createdTo = Moment(source="created_to", last=True, required=False)
    minTotal = Amount(source="min_total", required=False)
    maxTotal = Amount(source="max_total", required=False)

    def validate(self, attrs: dict[str, Any]) -> Any:
        """Split the values into the place in the list, its order, and the filter.

        A cursor brings the sort of its list along, whatever ``sort`` says beside it.
        """
        page, limit, sort = attrs.pop("page", None), attrs.pop("limit"), attrs.pop("sort")
        sorted_by, key = attrs.pop("cursor", (sort, None))
        return Wanted(
            filter=OrderFilter(**attrs),
            sorted_by=sorted_by,
            limit=limit,
            page=page or (1 if key is None else None),
            key=key,
        )


# One for all: it keeps nothing, and to make one takes longer than to use it.
_QUERY = ListQuery()


def read(query: QueryDict) -> Wanted:
    """Return what a query string asks for; raise `ValidationError` naming all its faults."""
    repeated = {
        name: [ErrorDetail("Is given more than once", "repeated")]
        for name, values in query.lists()
        if len(values) > 1
    }
    try:
        wanted: Wanted = _QUERY.run_validation(query.dict())
    except ValidationError as exc:
        faults = exc.detail if isinstance(exc.detail, dict) else {}  # a serializer's is one
        raise ValidationError({**faults, **repeated}) from exc
    if repeated:
        raise ValidationError(repeated)
    return wanted
