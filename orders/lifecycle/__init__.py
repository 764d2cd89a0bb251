"""The verbs of an order's life. Each locks, rechecks, writes and records the event, in that order.

Doors (API, admin, commands, tasks) call these and nothing below them. A verb opens its own
transactions and makes no call to another service inside one; repeating a finished verb returns the
order, an illegal move raises.
"""

from orders.lifecycle.advancing import advance, advance_due
from orders.lifecycle.batching import confirm_many, settled
from orders.lifecycle.cancelling import cancel
from orders.lifecycle.completing import complete
from orders.lifecycle.confirming import confirm
from orders.lifecycle.nudging import next_due_in, nudge
from orders.lifecycle.placing import Item, OrderDraft, place
from orders.lifecycle.reviewing import resolve

__all__ = [
    "Item",
    "OrderDraft",
    "advance",
    "advance_due",
    "cancel",
    "complete",
    "confirm",
    "confirm_many",
    "next_due_in",
    "nudge",
    "place",
    "resolve",
    "settled",
]
