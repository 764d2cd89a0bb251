"""The order desk: what staff see and do in the Django admin.

Each page and action only translates: the lifecycle decides, and `orders.admin.actions` says what
came of it.
"""

from orders.admin import access, attempts, batches, exports, failures, orders, reviews

__all__ = ["access", "attempts", "batches", "exports", "failures", "orders", "reviews"]
