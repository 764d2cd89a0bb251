"""What the verbs share: locking an order, changing it, and recording that it happened."""

from collections.abc import Collection
from typing import Literal

from django.db.models import F
from django.utils import timezone

from orders.actor import Actor
from orders.errors import (
    BeingConfirmed,
    IllegalTransition,
    NotPending,
    OnHold,
    OrderError,
    OrderNotFound,
    StaleVersion,
)
from orders.models import Confirmation, Order, OrderEvent, OrderNote
from orders.status import (
    LEGAL_MOVES,
    LIVE_CONFIRMATIONS,
    EventKind,
    HoldReason,
    OrderStatus,
    StockState,
)


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


def why_not_confirm(order: Order) -> OrderError | None:
    """Return why the locked order may not be confirmed as it stands; None when it may."""
    current = OrderStatus(order.status)
    if OrderStatus.CONFIRMED not in LEGAL_MOVES[current]:
        return IllegalTransition(current, OrderStatus.CONFIRMED)
    return OnHold(HoldReason(order.hold_reason)) if order.hold_reason else None


def require_at_rest(order: Order) -> None:
    """Raise `NotPending` or `BeingConfirmed` unless the locked order is PENDING and holds still."""
    if order.status != OrderStatus.PENDING:
        raise NotPending(OrderStatus(order.status))
    if lock_live_confirmation(order) is not None:
        raise BeingConfirmed


def add_note(order: Order, actor: Actor, text: str) -> None:
    """Keep what somebody wrote; not in the event, which is never erased: it may name people."""
    if text:
        OrderNote.objects.create(order=order, author=actor.user, text=text)


def record(
    order: Order,
    kind: EventKind,
    *,
    actor: str,
    via: str,
    status: OrderStatus | None = None,
    stock: StockState | None = None,
    hold: HoldReason | Literal[""] | None = None,
    data: dict[str, object] | None = None,
) -> None:
    """Change a locked order's status, stock state and hold, and append the event that says so.

    An order that is not PENDING any more is on hold no more.
    """
    from_status = OrderStatus(order.status)
    fields = ["version", "updated_at"]
    order.version += 1
    order.updated_at = timezone.now()
    if status is not None:
        order.status = status
        fields.append("status")
        hold = "" if status != OrderStatus.PENDING else hold
    if stock is not None and stock != order.stock_state:
        order.stock_state = stock
        order.stock_since = order.updated_at
        fields += ["stock_state", "stock_since"]
    if hold is not None and hold != order.hold_reason:
        order.hold_reason = hold
        order.held_since = order.updated_at if hold else None
        fields += ["hold_reason", "held_since"]
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
