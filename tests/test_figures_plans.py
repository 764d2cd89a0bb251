"""How PostgreSQL finds the dashboard's figures: in indexes, and nowhere else."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from orders import figures
from orders.models import Order

pytestmark = pytest.mark.django_db


def fill() -> None:
    """Place 4,000 orders, of which one in 40 is open, and let the planner know.

    What other tests have rolled back still swells the tables and indexes, and with them the
    planner's costs: emptied, they begin anew.
    """
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE orders_order CASCADE")
    now = timezone.now()
    Order.objects.bulk_create(
        Order(
            customer_reference="g",
            full_name="A",
            email="a@example.com",
            address="B",
            city="C",
            zip_code="1",
            currency="USD",
            total=Decimal(nth),
            status="PENDING" if nth % 80 == 0 else "CONFIRMED" if nth % 80 == 1 else "COMPLETED",
            created_at=now - timedelta(hours=nth),
        )
        for nth in range(4000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orders_order")


def plan(statement: str, **parameters: object) -> str:
    """Return how PostgreSQL runs a statement, but for reading small tables whole."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        values: Any = parameters
        cursor.execute(f"EXPLAIN {statement}", values)
        return "\n".join(row[0] for row in cursor.fetchall())


def test_statements_read_their_indexes_alone() -> None:
    fill()
    now = timezone.now()
    shop = plan(figures._OPEN_ORDERS, some=2, due=now)
    assert shop.count("Index Only Scan using order_open_oldest") == 4
    assert shop.count("Index Scan using order_on_hold") == 1
    stock = plan(figures._STOCK_QUEUES, some=2)
    assert stock.count("Index Only Scan using order_stock_") == 3
    assert stock.count("Index Only Scan using movement_review") == 2
    days = plan(figures._BY_DAY, begins=[now], ends=[now], currency="USD")
    assert "Index Only Scan using order_age" in days
    failures = plan(figures._FAILURES, since=now, begins=[now])
    assert "Index Only Scan using confirmation_rejected" in failures
    worker = plan(
        figures._WORKER, some=2, within=timedelta(minutes=1), unsettled=["settling", "review"]
    )
    assert "using entry_waiting" in worker
    assert "Seq Scan on orders_order " not in worker
    assert "Index Scan Backward using orders_stockattempt_pkey" in plan(
        figures._CALLS, some=2, within=timedelta(minutes=1), answers=["applied"]
    )
