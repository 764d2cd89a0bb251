"""Confirming many orders: one statement writes the batch, the worker carries it out."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from orders.actor import Actor
from orders.errors import IllegalTransition, InReview, OrderError, OrderNotFound
from orders.lifecycle.confirming import failure_of
from orders.lifecycle.nudging import nudge
from orders.models import Confirmation, ConfirmationBatch, Order
from orders.status import OrderStatus, StockState

# Identities are given out in the order of the numbers, and a confirmation's identity is its place
# in line for scarce stock: oldest order first. What has a live confirmation already is left to it.
_OPEN = """
WITH chosen AS (
  SELECT number FROM orders_order
   WHERE number = ANY(%(numbers)s) AND status = 'PENDING'
   ORDER BY number FOR UPDATE),
opened AS (
  INSERT INTO orders_confirmation
         (order_id, batch_id, state, actor, via, failure, shortages)
  SELECT number, %(batch)s, 'running', %(actor)s, %(via)s, '', '[]' FROM chosen ORDER BY number
  ON CONFLICT DO NOTHING
  RETURNING id, order_id),
planned AS (
  INSERT INTO orders_stockmovement
         (id, confirmation_id, product_id, delta, state, exclusive, fence, tries, short_waits,
          rejection, resolved_by)
  SELECT gen_random_uuid(), o.id, i.product_id, -sum(i.quantity), 'planned', %(exclusive)s,
         0, 0, 0, '', ''
    FROM opened o JOIN orders_orderitem i ON i.order_id = o.order_id
   GROUP BY o.id, i.product_id),
changed AS (
  UPDATE orders_order SET stock_state = 'settling', stock_since = now(), version = version + 1,
         updated_at = now()
   WHERE number IN (SELECT order_id FROM opened))
INSERT INTO orders_orderevent (order_id, kind, from_status, to_status, actor, via, data)
SELECT order_id, 'confirmation_requested', 'PENDING', 'PENDING', %(actor)s, %(via)s,
       jsonb_build_object('batch', %(batch)s::bigint)
  FROM opened
"""


def confirm_many(numbers: Sequence[int], *, actor: Actor) -> ConfirmationBatch:
    """Open a confirmation for each order that is PENDING and has none; return at once.

    The worker takes their stock, oldest order first, also if it dies in between. Asking for the
    same orders again opens nothing more. Raises `Forbidden`.
    """
    actor.require("confirm")
    with transaction.atomic(durable=True):
        batch = ConfirmationBatch.objects.create(
            actor=actor.label, via=actor.via, selected=len(set(numbers))
        )
        parameters: Any = {
            "numbers": sorted(set(numbers)),
            "batch": batch.pk,
            "actor": actor.label,
            "via": actor.via,
            "exclusive": settings.INVENTORY_SERIALIZE_PRODUCTS,
        }
        with connection.cursor() as cursor:
            cursor.execute(_OPEN, parameters)
    nudge()
    return batch


def settled(numbers: Sequence[int]) -> dict[int, OrderError | None]:
    """Return what became of the orders that were to be confirmed: why not, or None if they are.

    One whose stock is still settling is left out; one in review is not, for only a person can go on
    with it.
    """
    orders = {order.pk: order for order in Order.objects.filter(pk__in=numbers)}
    found: dict[int, OrderError | None] = {}
    rejected = []
    for number in numbers:
        order = orders.get(number)
        if order is None:
            found[number] = OrderNotFound()
        elif order.status == OrderStatus.CONFIRMED:
            found[number] = None
        elif order.status != OrderStatus.PENDING:
            found[number] = IllegalTransition(OrderStatus(order.status), OrderStatus.CONFIRMED)
        elif order.stock_state == StockState.REVIEW:
            found[number] = InReview()
        elif order.stock_state != StockState.SETTLING:
            rejected.append(number)
    ended = Confirmation.objects.filter(order__in=rejected).select_related("order")
    for confirmation in ended.order_by("order", "-pk").distinct("order"):
        found[confirmation.order_id] = failure_of(confirmation)
    return found
