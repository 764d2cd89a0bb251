"""The order list: its pages, its filters, its search and its columns."""

from orders.admin.listing.desk import OrderListAdmin, all_that_match
from orders.admin.listing.form import SHOWN_BY, matching

__all__ = ["SHOWN_BY", "OrderListAdmin", "all_that_match", "matching"]
