"""What an order's customer may hear of what happened to it, at every door."""

from orders.models import OrderEvent
from orders.status import CancelReason, EventKind

_FOR_ALL = ("reason", "items")  # of an event's data


def for_customers(event: OrderEvent) -> dict[str, object]:
    """Return what a customer may know of it: not why staff hesitate, nor whom they suspect."""
    data = {k: v for k, v in event.data.items() if k in _FOR_ALL}
    if event.kind == EventKind.HELD:
        data.pop("reason", None)
    elif data.get("reason") == CancelReason.FRAUD:
        data["reason"] = CancelReason.OTHER
    return data


def role_of_actor(event: OrderEvent, *, own: str | None) -> str:
    """Say what its actor is to a customer, who has no business with the accounts of staff.

    ``own`` is how events name the customer; None for a guest.
    """
    if event.actor in ("guest", "system"):
        return event.actor
    return "customer" if event.actor == own else "staff"
