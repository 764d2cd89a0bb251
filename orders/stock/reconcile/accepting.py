"""Accepting a stock that the ledger did not make: it counts on from there.

After a restore the inventory has done what the ledger has forgotten, and where nobody else may
change stock, somebody has restocked all the same. What is not undone in the inventory is accepted.
"""

from datetime import datetime

from django.db import connection

from inventory_client.errors import UNKNOWN_PRODUCT, InventoryError
from orders.errors import NotAccepted
from orders.models import StockBaseline, StockMovement
from orders.status import MovementState
from orders.stock import inventory
from orders.stock.reconcile.positions import UNCLEAR, Position, positions
from orders.stock.reconcile.under_way import under_way


def accept(
    product_id: str, quantity: int, *, note: str, by: str, via: str, looked_up: bool = False
) -> StockBaseline | None:
    """Have the ledger count on from what the inventory has; None when it expects that anyway.

    ``quantity`` is what the person has seen; the inventory is read again, and must still say so.
    A product that it has no more counts as 0, where the ledger has moved it. While orders are under
    way with it, somebody must have ``looked_up`` what the inventory has done for these. Raises
    `NotAccepted`.
    """
    before = _quiet(product_id)
    # From here on a movement that is sent counts on from what we are about to read: had one been
    # sent before, it would be unclear, or the last word, and either is seen below.
    at = _now()
    found = _read(product_id)
    if found is None:
        if before is None and not _was_moved(product_id):
            raise NotAccepted(f"Neither the inventory nor the ledger knows a product {product_id}")
        found = 0
    if found != quantity:
        raise NotAccepted(f"The inventory has {found} of product {product_id}, not {quantity}")
    if _quiet(product_id) != before:
        raise NotAccepted(f"Product {product_id} has moved meanwhile")
    expected = None if before is None or before.raced else before.expected
    if expected == found:
        return None
    if not looked_up:
        _require_nothing_under_way(product_id, found)
    return StockBaseline.objects.create(
        product_id=product_id,
        quantity=found,
        expected=expected,
        at=at,
        actor=by,
        via=via,
        note=note,
    )


def _quiet(product_id: str) -> Position | None:
    """Return the ledger's word on a product that does not move; None when there is none."""
    position = positions([product_id]).get(product_id)
    if position is None:
        moving = StockMovement.objects.filter(product_id=product_id, state__in=UNCLEAR).exists()
    else:
        moving = position.moving
    if moving:
        raise NotAccepted(
            f"Product {product_id} is moving, or waits for a review: see manage.py reconcile_stock"
        )
    return position


def _was_moved(product_id: str) -> bool:
    return StockMovement.objects.filter(product_id=product_id, state=MovementState.APPLIED).exists()


def _require_nothing_under_way(product_id: str, found: int) -> None:
    """Refuse while the worker is yet to do what, before a restore, may have been done already."""
    if yet := under_way([product_id]).get(product_id):
        raise NotAccepted(
            f"Product {product_id} is not done with: {yet.words}, and {found} become"
            f" {found + yet.pieces}. Wait until that is done; after a restore, look in the"
            " inventory's log whether it was, for then it is done again: undo it there first, and"
            " accept what is left then with --looked-up"
        )


def _read(product_id: str) -> int | None:
    """Return what the inventory has of a product; None when it does not know it."""
    try:
        return inventory.client().read(product_id).quantity
    except InventoryError as exc:
        if exc.code == UNKNOWN_PRODUCT:
            return None
        raise NotAccepted(f"The inventory does not tell the stock of {product_id}: {exc}") from exc


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
        return now
