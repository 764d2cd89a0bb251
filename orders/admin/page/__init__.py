"""The order page: what it shows, its dialogs, and where their forms are sent to."""

from orders.admin.page.desk import OrderPageAdmin
from orders.admin.page.links import Link, offer

__all__ = ["Link", "OrderPageAdmin", "offer"]
