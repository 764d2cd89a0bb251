"""How many rows an export will have, as far as that is cheap to know."""

from dataclasses import dataclass

from django.db.models import QuerySet

from orders.models import Order, OrderItem
from orders.queries import Unanswered, within
from orders.status import ExportKind

MOST_COUNTED = 1_000_000  # rows
PATIENCE_MS = 1_500


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows there are; when there are more than are counted, that many at the least."""

    rows: int
    exact: bool


def size(kind: ExportKind, orders: QuerySet[Order]) -> Size | None:
    """Count the rows of an export, up to `MOST_COUNTED`; None when that would take too long."""
    rows = orders.prefetch_related(None).order_by()
    counted = rows if kind != ExportKind.LINES else OrderItem.objects.filter(order__in=rows)
    try:
        with within(PATIENCE_MS):
            found = counted[: MOST_COUNTED + 1].count()
    except Unanswered:
        return None
    return Size(min(found, MOST_COUNTED), exact=found <= MOST_COUNTED)
