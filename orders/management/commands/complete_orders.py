"""``manage.py complete_orders``: make orders COMPLETED, for their goods have left."""

from collections.abc import Sequence
from typing import Any

from django.db import OperationalError, connection

from orders import lifecycle
from orders.errors import OrderError
from orders.management.commands._actor import OPERATOR
from orders.management.commands._bulk import BulkCommand, Tally, explain
from orders.management.commands._progress import Progress
from orders.status import OrderStatus


class Command(BulkCommand):
    """Completes orders; which is final."""

    help = "Complete CONFIRMED orders, oldest first."
    done = "completed"
    from_status = OrderStatus.CONFIRMED

    def carry_out(
        self, numbers: Sequence[int], progress: Progress, options: dict[str, Any]
    ) -> Tally:
        tally = Tally()
        for number in numbers:
            try:
                lifecycle.complete(number, actor=OPERATOR)
            except (OrderError, OperationalError) as exc:
                tally.failed += 1
                progress.say(explain(number, exc))
                connection.close_if_unusable_or_obsolete()
            else:
                tally.done += 1
            progress.step()
        return tally
