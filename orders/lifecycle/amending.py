"""Amending: staff correct the lines and the address of a PENDING order."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from orders.actor import Actor
from orders.lifecycle import lines
from orders.lifecycle.lines import Item
from orders.lifecycle.records import lock_order, record, require_at_rest, require_version
from orders.models import Order
from orders.status import EventKind, PriceSource, StockState


@dataclass(frozen=True, slots=True)
class Amendment:
    """What the order shall say, validated in shape; strings are trimmed and not empty."""

    full_name: str
    email: str
    address: str
    city: str
    zip_code: str
    items: Sequence[Item]


_FIELDS = ("full_name", "email", "address", "city", "zip_code")


def amend(number: int, amendment: Amendment, *, actor: Actor, expected_version: int) -> Order:
    """Make a PENDING order say what the amendment says, and its total what the items cost.

    The event tells which fields changed, and the lines that went and came; not what a field said,
    for history is never erased. Stock is looked at when the order is confirmed. An amendment that
    changes nothing leaves no trace. A price that is new to the order is the staff's word, and the
    order then says so: they may well give another than the catalogue's, and no call could be made
    under the lock. Raises `Forbidden`, `OrderNotFound`, `StaleVersion`,
    `NotPending` or `BeingConfirmed`.
    """
    actor.require("amend")
    with transaction.atomic(durable=True):
        order = lock_order(number)
        require_version(order, expected_version)
        require_at_rest(order)
        fields = [name for name in _FIELDS if getattr(order, name) != getattr(amendment, name)]
        for name in fields:
            setattr(order, name, getattr(amendment, name))
        went, came = _rewrite(order, amendment.items)
        if not (fields or went or came):
            return order
        order.save(update_fields=[*fields, "total", "price_source"])
        record(
            order,
            EventKind.AMENDED,
            actor=actor.label,
            via=actor.via,
            # What was short is short no more as far as anybody knows.
            stock=StockState.CLEAR if went or came else None,
            data={"fields": fields, "went": went, "came": came},
        )
    return order


def _rewrite(order: Order, wanted: Sequence[Item]) -> tuple[list[str], list[str]]:
    """Replace the lines where they differ; return the lines that went and those that came.

    Sets the total on the order, and whose prices it now has.
    """
    before = lines.of(order.items.order_by("pk"))
    after = lines.merge(wanted)
    if set(before) == set(after):
        return [], []
    order.items.all().delete()
    lines.write(order, after)
    order.total = lines.total(after)
    if _priced(after) - _priced(before):
        order.price_source = PriceSource.STAFF
    went = [str(item) for item in before if item not in after]
    return went, [str(item) for item in after if item not in before]


def _priced(items: Sequence[Item]) -> set[tuple[str, Decimal]]:
    return {(item.product_id, item.unit_price) for item in items}
