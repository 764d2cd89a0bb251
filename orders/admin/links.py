"""Where the admin's lists are, filtered: the one place that knows the names of their parameters."""

from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse


def order_list(
    *,
    status: str = "",
    stock: str = "",
    on_hold: bool = False,
    placed_from: datetime | None = None,
    placed_before: datetime | None = None,
) -> str:
    """Return the address of the order list, narrowed to what is not empty."""
    return _filtered(
        "orders_order",
        status__exact=status,
        stock_state__exact=stock,
        held_since__isnull="False" if on_hold else "",
        created_at__gte=placed_from,
        created_at__lt=placed_before,
    )


def failed_confirmations(*, reason: str = "", since: datetime | None = None) -> str:
    """Return the address of the list of failed confirmations, narrowed to what is not empty."""
    return _filtered("orders_confirmation", failure__exact=reason, settled_at__gte=since)


def reviews() -> str:
    """Return the address of the review desk."""
    return reverse("admin:orders_stockmovement_changelist")


def _filtered(model: str, **filters: str | datetime | None) -> str:
    wanted = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in filters.items()
        if value
    }
    query = f"?{urlencode(wanted)}" if wanted else ""
    return reverse(f"admin:{model}_changelist") + query
