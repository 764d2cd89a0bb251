"""``manage.py confirm_orders``: take the stock of orders and make them CONFIRMED."""

from argparse import ArgumentParser
from typing import Any

from orders import lifecycle
from orders.management.commands._bulk import OPERATOR, BulkCommand
from orders.models import Order
from orders.status import OrderStatus


class Command(BulkCommand):
    """Confirms orders one after the other; what takes longer than ``--wait`` is the worker's."""

    help = "Confirm PENDING orders, oldest first: deduct their stock or say what is short."
    done = "confirmed"
    from_status = OrderStatus.PENDING

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--wait",
            type=float,
            default=10.0,
            metavar="SECONDS",
            help="how long to stay with an order before leaving it to the worker (default: 10)",
        )

    def apply(self, number: int, options: dict[str, Any]) -> Order:
        return lifecycle.confirm(number, actor=OPERATOR, hold=options["wait"])
