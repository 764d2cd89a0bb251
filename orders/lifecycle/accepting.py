"""Accepting the inventory's stock of a product, where it is not what the ledger left there."""

from orders.actor import Actor
from orders.models import StockBaseline
from orders.stock import reconcile


def accept_stock(
    product_id: str, quantity: int, *, note: str, actor: Actor, looked_up: bool = False
) -> StockBaseline | None:
    """Have the ledger count on from what the inventory has of a product; moves nothing.

    ``quantity`` is what the person who decides has seen there, 0 of a product that the inventory no
    longer knows; ``note`` says why it is right, and names no customer, for it is kept;
    ``looked_up``, that the inventory has nothing left of what orders under way are yet to do, which
    it may have done before a restore. Returns None when the ledger expects that stock anyway.
    Raises `Forbidden`, `NotAccepted` when the product moves, is to be moved and nobody has looked
    that up, or its stock is another by now, and `ValueError` without a note.
    """
    actor.require("review")
    if not note.strip():
        raise ValueError("stock is accepted with a note that says why it is right")
    return reconcile.accept(
        product_id,
        quantity,
        note=note.strip(),
        by=actor.label,
        via=actor.via,
        looked_up=looked_up,
    )
