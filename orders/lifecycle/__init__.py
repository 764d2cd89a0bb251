"""The verbs of an order's life. Each locks, rechecks, writes and records the event, in that order.

What changes an order or its stock goes through these, whichever door it came by (API, admin,
commands, tasks); reading may go below. A verb opens its own transactions and makes no call to
another service inside one; repeating a finished verb returns the order, an illegal move raises.
"""

from orders.lifecycle.accepting import accept_stock
from orders.lifecycle.advancing import advance, advance_due
from orders.lifecycle.amending import Amendment, amend
from orders.lifecycle.batching import (
    carry_out_next,
    confirm_many,
    open_batch,
    retry,
    unfinished_batches,
)
from orders.lifecycle.cancelling import cancel
from orders.lifecycle.completing import complete
from orders.lifecycle.confirming import confirm
from orders.lifecycle.doing import do
from orders.lifecycle.drafts import OrderDraft
from orders.lifecycle.erasing import ERASED, ERASED_NOTE, UNFINISHED, Erased, erase
from orders.lifecycle.holding import hold, release
from orders.lifecycle.lines import Item
from orders.lifecycle.nudging import next_due_in, nudge, nudge_batch
from orders.lifecycle.placing import place
from orders.lifecycle.reviewing import resolve

__all__ = [
    "ERASED",
    "ERASED_NOTE",
    "UNFINISHED",
    "Amendment",
    "Erased",
    "Item",
    "OrderDraft",
    "accept_stock",
    "advance",
    "advance_due",
    "amend",
    "cancel",
    "carry_out_next",
    "complete",
    "confirm",
    "confirm_many",
    "do",
    "erase",
    "hold",
    "next_due_in",
    "nudge",
    "nudge_batch",
    "open_batch",
    "place",
    "release",
    "resolve",
    "retry",
    "unfinished_batches",
]
