"""What the API and the admin read of orders, and the statements that their speed rests on."""

from orders.queries.batches import STAGE, Stage
from orders.queries.customers import for_customers, role_of_actor
from orders.queries.deadline import PATIENT, Unanswered, within
from orders.queries.details import ItemDetails, OrderDetails, find, load, load_all
from orders.queries.filtering import Found, OrderFilter, find_all
from orders.queries.lengths import lengths
from orders.queries.newest import by_number
from orders.queries.paging import Count, Key, Page, Side, Sort, page, page_after
from orders.queries.reading import (
    accepted,
    changes,
    events,
    held_by,
    in_review,
    items,
    latest_events,
    named,
    notes,
    taken,
    visible_to,
)

__all__ = [
    "PATIENT",
    "STAGE",
    "Count",
    "Found",
    "ItemDetails",
    "Key",
    "OrderDetails",
    "OrderFilter",
    "Page",
    "Side",
    "Sort",
    "Stage",
    "Unanswered",
    "accepted",
    "by_number",
    "changes",
    "events",
    "find",
    "find_all",
    "for_customers",
    "held_by",
    "in_review",
    "items",
    "latest_events",
    "lengths",
    "load",
    "load_all",
    "named",
    "notes",
    "page",
    "page_after",
    "role_of_actor",
    "taken",
    "visible_to",
    "within",
]
