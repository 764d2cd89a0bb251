"""What the API and the admin read of orders, and the statements that their speed rests on."""

from orders.queries.filtering import Found, OrderFilter, find_all, listed
from orders.queries.lengths import lengths
from orders.queries.paging import Count, Key, Page, Side, Sort, page
from orders.queries.reading import (
    events,
    find,
    in_review,
    latest_events,
    load,
    notes,
    visible_to,
    with_details,
)

__all__ = [
    "Count",
    "Found",
    "Key",
    "OrderFilter",
    "Page",
    "Side",
    "Sort",
    "events",
    "find",
    "find_all",
    "in_review",
    "latest_events",
    "lengths",
    "listed",
    "load",
    "notes",
    "page",
    "visible_to",
    "with_details",
]
