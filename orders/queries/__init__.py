"""What the API and the admin read of orders, and the statements that their speed rests on."""

from orders.queries.batches import STAGE, Stage
from orders.queries.deadline import Unanswered, within
from orders.queries.filtering import Found, OrderFilter, find_all
from orders.queries.lengths import lengths
from orders.queries.paging import Count, Key, Page, Side, Sort, page, page_after
from orders.queries.reading import (
    changes,
    events,
    find,
    held_by,
    in_review,
    items,
    latest_events,
    load,
    named,
    notes,
    taken,
    visible_to,
    with_details,
)

__all__ = [
    "STAGE",
    "Count",
    "Found",
    "Key",
    "OrderFilter",
    "Page",
    "Side",
    "Sort",
    "Stage",
    "Unanswered",
    "changes",
    "events",
    "find",
    "find_all",
    "held_by",
    "in_review",
    "items",
    "latest_events",
    "lengths",
    "load",
    "named",
    "notes",
    "page",
    "page_after",
    "taken",
    "visible_to",
    "with_details",
    "within",
]
