"""How long queues are, at a cost that does not grow with them."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from orders.models import Order
from orders.queries.filtering import EXACT, OrderFilter
from orders.queries.paging import Count


def lengths(queues: Sequence[OrderFilter]) -> list[Count]:
    """Return how many orders each filter lets through, without its ``q``; in one statement."""
    parts: list[str] = []
    parameters: list[Any] = []
    for wanted in queues:
        some = Order.objects.filter(wanted.conditions()).order_by().values("pk")[: EXACT + 1]
        statement, values = some.query.sql_with_params()
        parts.append(f"(SELECT count(*) FROM ({statement}) AS queue)")
        parameters += values
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", parameters)
        (found,) = cursor.fetchall()
    return [Count.counted(number) for number in found]
