"""The order page: what it shows, its dialogs, and where their forms are sent to."""

from orders.admin.page.desk import OrderPageAdmin

__all__ = ["OrderPageAdmin"]
