"""What a list of orders may be asked for in its query string."""

from typing import Any

from django.http import QueryDict
from rest_framework.exceptions import ErrorDetail, ValidationError

from orders.api.fields import Amount, Moment, Text, WholeNumber, Word
from orders.api.serializers import Strict
from orders.queries import OrderFilter
from orders.status import OrderStatus, StockState

# The public names of what a list can be sorted by; a leading minus turns the order round.
COLUMNS = {
    "createdAt": "created_at",
    "updatedAt": "updated_at",
    "number": "number",
    "total": "total",
}
SORTS = {sign + name: sign + column for name, column in COLUMNS.items() for sign in ("", "-")}


class ListQuery(Strict):
    """The page, the filters and the order of a list."""

    page = WholeNumber(min_value=1, max_value=1_000_000_000, default=1)
    limit = WholeNumber(min_value=1, max_value=100, default=10)
    sort = Word(choices=list(SORTS), default="-number")
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

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Split the values into the page, the order and the filter."""
        page, limit, sort = attrs.pop("page"), attrs.pop("limit"), attrs.pop("sort")
        return {
            "page": page,
            "limit": limit,
            "sort": SORTS[sort],
            "filter": OrderFilter(**attrs),
        }


def read(query: QueryDict) -> dict[str, Any]:
    """Return what a query string asks for; raise `ValidationError` naming all its faults."""
    parameters = ListQuery(data=query.dict())
    repeated = {
        name: [ErrorDetail("Is given more than once", "repeated")]
        for name, values in query.lists()
        if len(values) > 1
    }
    if not parameters.is_valid() or repeated:
        raise ValidationError(repeated | parameters.errors)
    wanted: dict[str, Any] = parameters.validated_data
    return wanted
