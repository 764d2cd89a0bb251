"""What the verbs share: locking an order, changing it, and recording that it happened."""

from collections.abc import Collection

from django.db.models import F
from django.utils import timezone

from orders.errors import IllegalTransition, OrderNotFound, StaleVersion
from orders.models import Confirmation, Order, OrderEvent
from orders.status import LEGAL_MOVES, LIVE_CONFIRMATIONS, EventKind, OrderStatus, StockState


def lock_order(number: int) -> Order:
    """Return the order, locked until the transaction ends; raise `OrderNotFound`."""
    try:
        return Order.objects.select_for_update().get(pk=number)
    except Order.DoesNotExist as exc:
        raise OrderNotFound from exc


def lock_live_confirmation(order: Order) -> Confirmation | None:
    """Return the order's live confirmation, locked; the order must be locked before."""
    return (
        Confirmation.objects.select_for_update()
        .filter(order=order, state__in=LIVE_CONFIRMATIONS)
        .first()
    )


def require_version(order: Order, expected: int | None) -> None:
    """Raise `StaleVersion` when the caller has seen another version; the order must be locked."""
    if expected is not None and order.version != expected:
        raise StaleVersion(order.version)


def require_move(order: Order, to: OrderStatus) -> None:
    """Raise `IllegalTransition` unless the order may go there from where it is."""
    current = OrderStatus(order.status)
    if to not in LEGAL_MOVES[current]:
        raise IllegalTransition(current, to)


def record(
    order: Order,
    kind: EventKind,
    *,
    actor: str,
    via: str,
    status: OrderStatus | None = None,
    stock: StockState | None = None,
    data: dict[str, object] | None = None,
) -> None:
    """Change a locked order's status and stock state, and append the event that says so."""
    from_status = OrderStatus(order.status)
    fields = ["version", "updated_at"]
    order.version += 1
    order.updated_at = timezone.now()
    if status is not None:
        order.status = status
        fields.append("status")
    if stock is not None and stock != order.stock_state:
        order.stock_state = stock
        order.stock_since = order.updated_at
        fields += ["stock_state", "stock_since"]
    order.save(update_fields=fields)
    OrderEvent.objects.create(
        order=order,
        kind=kind,
        from_status=from_status,
        to_status=order.status,
        actor=actor,
        via=via,
        data=data or {},
    )


def record_requests(numbers: Collection[int], *, actor: str, via: str, batch_id: int) -> None:
    """Do what `record` does when a confirmation is requested, for many locked PENDING orders."""
    now = timezone.now()
    Order.objects.filter(pk__in=numbers).update(
        stock_state=StockState.SETTLING, stock_since=now, updated_at=now, version=F("version") + 1
    )
    OrderEvent.objects.bulk_create(
        OrderEvent(
            order_id=number,
            kind=EventKind.CONFIRMATION_REQUESTED,
            from_status=OrderStatus.PENDING,
            to_status=OrderStatus.PENDING,
            actor=actor,
            via=via,
            data={"batch": batch_id},
        )
        for number in numbers
    )
