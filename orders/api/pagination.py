"""Pages of a list."""

from django.db.models import QuerySet

from orders.api import representation
from orders.models import Order
from orders.queries import with_details


def page_of(orders: QuerySet[Order], *, page: int, limit: int) -> dict[str, object]:
    """Return one page of sorted orders; one behind the last is empty."""
    total = orders.count()
    first = (page - 1) * limit
    rows = with_details(orders)[first : first + limit] if first < total else ()
    return {
        "data": [representation.order(order) for order in rows],
        "total": total,
        "page": page,
        "limit": limit,
        "totalPages": -(-total // limit),
    }
