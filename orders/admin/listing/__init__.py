"""The order list: its columns, its filters and its search."""

from orders.admin.listing.desk import OrderListAdmin

__all__ = ["OrderListAdmin"]
