"""What the verbs share: locking an order, changing it, and recording that it happened."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from django.db.models import F
from django.utils import timezone
from psycopg.types.json import Jsonb

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
from orderservice.postgresql import prepared
from orderservice.postgresql.fetching import fetch_one

_LIVE = (  # in the words of the partial index
    f"order_id = %(order)s AND state IN ({', '.join(map(repr, map(str, LIVE_CONFIRMATIONS)))})"
    " FOR UPDATE"
)
_RECORD = """
    WITH given AS (
        SELECT * FROM unnest(
            %(number)s::bigint[], %(version)s::integer[], %(updated_at)s::timestamptz[],
            %(status)s::text[], %(stock_state)s::text[], %(stock_since)s::timestamptz[],
            %(hold_reason)s::text[], %(held_since)s::timestamptz[],
            %(kind)s::text[], %(from_status)s::text[],
            %(actor)s::text[], %(via)s::text[], %(data)s::jsonb[]
        ) AS given (number, version, updated_at, status, stock_state, stock_since, hold_reason,
                    held_since, kind, from_status, actor, via, data)
    ), changed AS (
        UPDATE orders_order o
           SET version = given.version, updated_at = given.updated_at, status = given.status,
               stock_state = given.stock_state, stock_since = given.stock_since,
               hold_reason = given.hold_reason, held_since = given.held_since
          FROM given WHERE o.number = given.number
        RETURNING given.*
    )
    INSERT INTO orders_orderevent (order_id, kind, from_status, to_status, actor, via, data)
    SELECT number, kind, from_status, status, actor, via, data FROM changed ORDER BY number
"""


def lock_order(number: int) -> Order:
    """Return the order, locked until the transaction ends; raise `OrderNotFound`."""
    order = fetch_one(Order, "number = %(number)s FOR UPDATE", {"number": number})
    if order is None:
        raise OrderNotFound
    return order


def lock_live_confirmation(order: Order) -> Confirmation | None:
    """Return the order's live confirmation, locked; the order must be locked before."""
    return fetch_one(Confirmation, _LIVE, {"order": order.pk})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to a locked order: the event, and the status, stock state and hold after it."""

    order: Order = field(kw_only=False)
    kind: EventKind = field(kw_only=False)
    actor: str
    via: str
    status: OrderStatus | None = None
    stock: StockState | None = None
    hold: HoldReason | Literal[""] | None = None
    data: dict[str, object] | None = None


def record(order: Order, kind: EventKind, **more: Any) -> None:
    """Change one locked order and append the event that says so; takes what `Change` does."""
    record_all([Change(order, kind, **more)])


def record_all(changes: Iterable[Change]) -> None:
    """Change locked orders, and append the event that says so for each, in one statement.

    An order that is not PENDING any more is on hold no more.
    """
    rows = [_row(change) for change in changes]
    with prepared() as cursor:
        cursor.execute(_RECORD, {name: [row[name] for row in rows] for name in rows[0]})


def _row(change: Change) -> dict[str, Any]:
    """Change the order, and return what is to be written of it."""
    order, hold = change.order, change.hold
    from_status = order.status
    order.version += 1
    order.updated_at = timezone.now()
    if change.status is not None:
        order.status = change.status
        hold = "" if change.status != OrderStatus.PENDING else hold
    if change.stock is not None and change.stock != order.stock_state:
        order.stock_state = change.stock
        order.stock_since = order.updated_at
    if hold is not None and hold != order.hold_reason:
        order.hold_reason = hold
        order.held_since = order.updated_at if hold else None
    return {
        "number": order.pk,
        "version": order.version,
        "updated_at": order.updated_at,
        "status": str(order.status),  # in an array psycopg wants all to be of one type
        "stock_state": str(order.stock_state),
        "stock_since": order.stock_since,
        "hold_reason": str(order.hold_reason),
        "held_since": order.held_since,
        "kind": str(change.kind),
        "from_status": str(from_status),
        "actor": change.actor,
        "via": str(change.via),
        "data": Jsonb(change.data or {}),
    }


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
