"""What a list of orders may be asked for in its query string."""

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from rest_framework.exceptions import ErrorDetail, ValidationError

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A page of a list: the one that ``page`` counts to, or the one behind ``key``."""

    filter: OrderFilter
    sort: Sort
    ascending: bool
    limit: int
    page: int
    key: Key | None


class ListQuery(Strict):
    """The page, the filters and the order of a list."""

    page = WholeNumber(min_value=1, max_value=MOST_PAGES, required=False)
    cursor = Text(max_length=60, required=False)
    limit = WholeNumber(min_value=1, max_value=100, default=10)
    sort = Word(choices=[sign + name for name in SORTS for sign in ("", "-")], default="-number")
    status = Word(choices=list(OrderStatus), required=False)
    stock = Word(choices=list(StockState), required=False)
    q = Text(max_length=200, required=False)
    email = Text(max_length=254, required=False)
    productId = Text(max_length=100, source="product_id", required=False)
    userId = Text(max_length=100, source="user_id", required=False)
    createdFrom = Moment(source="created_from", required=False)
    createdTo = Moment(source="created_to", last=True, required=False)
    minTotal = Amount(source="min_total", required=False)
    maxTotal = Amount(source="max_total", required=False)

    def validate(self, attrs: dict[str, Any]) -> Any:
        """Split the values into the place in the list, its order, and the filter."""
        page, cursor, limit = attrs.pop("page", None), attrs.pop("cursor", None), attrs.pop("limit")
        name = attrs.pop("sort")
        sort = SORTS[name.removeprefix("-")]
        key = None
        if cursor is not None:
            if page is not None:
                raise ValidationError({"cursor": [ErrorDetail("Goes without page", "conflict")]})
            try:
                key = sort.key(cursor)
            except ValueError as exc:
                fault = ErrorDetail("Is none of a list that is sorted so", "invalid")
                raise ValidationError({"cursor": [fault]}) from exc
        ascending = not name.startswith("-")
        return Wanted(
            filter=OrderFilter(**attrs),
            sort=sort,
            ascending=ascending,
            limit=limit,
            page=page or 1,
            key=key,
        )


def read(query: QueryDict) -> Wanted:
    """Return what a query string asks for; raise `ValidationError` naming all its faults."""
    parameters = ListQuery(data=query.dict())
    repeated = {
        name: [ErrorDetail("Is given more than once", "repeated")]
        for name, values in query.lists()
        if len(values) > 1
    }
    if not parameters.is_valid() or repeated:
        raise ValidationError(repeated | parameters.errors)
    wanted: Wanted = parameters.validated_data
    return wanted
