"""Why a confirmation came to nothing, as the error that its verb raises."""

from orders.errors import (
    IllegalTransition,
    InsufficientStock,
    InventoryRefused,
    InventoryUnavailable,
    OrderError,
    Shortage,
)
from orders.models import Confirmation
from orders.status import ConfirmationState, FailureReason, OrderStatus


def failure_of(confirmation: Confirmation) -> OrderError | None:
    """Return why a confirmation came to nothing; None when it did not, or not yet."""
    if confirmation.state == ConfirmationState.CANCELLED:
        return IllegalTransition(OrderStatus(confirmation.order.status), OrderStatus.CONFIRMED)
    if confirmation.state != ConfirmationState.REJECTED:
        return None
    if confirmation.failure == FailureReason.INSUFFICIENT_STOCK:
        return InsufficientStock([Shortage(**short) for short in confirmation.shortages])
    if confirmation.failure == FailureReason.INVENTORY_UNAVAILABLE:
        return InventoryUnavailable()
    return InventoryRefused()
