"""How a process comes to live without one of the protocol's rules (see ``rules``).

Installed in the processes of a run only; no setting of the service can switch a rule off.
"""

import random
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError

from inventory_client.connection import Exchange
from orders import lifecycle
from orders.errors import InventoryUnavailable
from orders.models import Batch, Confirmation, Order, StockMovement
from orders.status import MovementState, OrderStatus
from orders.stock import inventory, ledger, movements, outcomes, timing
from orders.stock.movements import Snapshot
from orders.stock.outcomes import Evidence
from orders.stock.protocol import Movement


def _no_settle_wait() -> None:
    """Read an unknown outcome back as soon as it is unknown."""
    timing.settle = lambda: timedelta(0)


def _no_product_mutex() -> None:
    """Let the upstream's read-then-write race with itself."""
    settings.INVENTORY_SERIALIZE_PRODUCTS = False


def _mutex_from_sent() -> None:
    """Take the mutex only for the call, so that the snapshot is read outside it.

    An answer is about the past: here a read's takes up to 0.3 s to arrive.
    """
    movements._CLAIM = movements._CLAIM.replace(
        "('claimed', 'sent', 'unknown')", "('sent', 'unknown')"
    )
    settings.INVENTORY_SOLE_WRITER = True
    real = movements.write_ahead

    def write_ahead(snapshots: Sequence[Snapshot]) -> list[Snapshot]:
        time.sleep(random.uniform(0, 0.3))
        try:
            return real(snapshots)
        except IntegrityError:
            for each in snapshots:
                movements.release(each.movement.id, each.fence, delay=timedelta(seconds=0.05))
            return []

    movements.write_ahead = write_ahead


def _no_write_ahead() -> None:
    """Take what a dead process was sending for never sent, and send it again."""
    real = movements.recover

    def recover(movement: Movement, to: MovementState) -> None:
        real(movement, MovementState.PLANNED if to is MovementState.UNKNOWN else to)

    movements.recover = recover


def _server_errors_retried() -> None:
    """Believe that a 5xx applied nothing."""
    unknown = outcomes.record_unknown

    def record_unknown(
        movement_id: UUID, fence: int, evidence: Evidence, *, delay: timedelta
    ) -> None:
        record = outcomes.record_not_yet if evidence.outcome == "server_error" else unknown
        record(movement_id, fence, evidence, delay=delay)

    outcomes.record_unknown = record_unknown


def _no_compensation() -> None:
    """Write down that stock was given back, and give none back."""
    real = ledger.plan_reversals

    def plan_reversals(confirmation: Confirmation) -> None:
        real(confirmation)
        StockMovement.objects.filter(confirmation=confirmation, delta__gt=0).update(
            state=MovementState.APPLIED
        )

    ledger.plan_reversals = plan_reversals


def _no_send_guard() -> None:
    """Send however long ago the sending was written down."""

    def leave(self: Exchange) -> None:
        self.sent = True

    Exchange.leave = leave  # type: ignore[method-assign]


def _old_service() -> None:
    """Confirm as the service before this one did: line by line, with no lock and no memory."""

    def confirm(number: int, **_: Any) -> Order:
        order = Order.objects.get(pk=number)
        if order.status == OrderStatus.CONFIRMED:
            return order
        for item in order.items.order_by("pk"):
            try:
                inventory.client().adjust(
                    item.product_id,
                    -item.quantity,
                    reason=f"order:{number}",
                    idempotency_key=f"order-{number}-{item.pk}",
                )
            except Exception as exc:
                raise InventoryUnavailable from exc
        order.status = OrderStatus.CONFIRMED
        order.save(update_fields=["status"])
        return order

    def cancel(number: int, **_: Any) -> Order:
        order = Order.objects.get(pk=number)
        if order.status == OrderStatus.PENDING:
            order.status = OrderStatus.CANCELLED
            order.save(update_fields=["status"])
        return order

    def confirm_many(numbers: Collection[int], **_: Any) -> Batch:
        for number in numbers:
            with suppress(InventoryUnavailable):
                confirm(number)
        return Batch()

    lifecycle.confirm, lifecycle.cancel = confirm, cancel
    lifecycle.confirm_many = confirm_many


INSTALL: dict[str, Callable[[], None]] = {
    "no-settle": _no_settle_wait,
    "no-mutex": _no_product_mutex,
    "mutex-from-sent": _mutex_from_sent,
    "no-write-ahead": _no_write_ahead,
    "retry-5xx": _server_errors_retried,
    "no-compensation": _no_compensation,
    "no-send-guard": _no_send_guard,
    "old-service": _old_service,
}
