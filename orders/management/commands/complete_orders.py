"""``manage.py complete_orders``: make orders COMPLETED, for their goods have left."""

from typing import Any

from orders import lifecycle
from orders.management.commands._bulk import OPERATOR, BulkCommand
from orders.models import Order
from orders.status import OrderStatus


class Command(BulkCommand):
    """Completes orders; which is final."""

    help = "Complete CONFIRMED orders, oldest first."
    done = "completed"
    from_status = OrderStatus.CONFIRMED

    def apply(self, number: int, options: dict[str, Any]) -> Order:
        return lifecycle.complete(number, actor=OPERATOR)
