"""Many orders at once, and what a file of them says."""

import csv
from collections.abc import Iterable
from io import StringIO

from django.db import connection

from orders.exports import Chunk


def seed(orders: int, lines: int = 2) -> None:
    """Insert orders with as many lines each, in two statements, however long they take."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', '0', true)")
        cursor.execute(
            """
            INSERT INTO orders_order (public_id, customer_reference, full_name, email, address,
                                      city, zip_code, currency, total, status, stock_state, version)
            SELECT gen_random_uuid(), 'guest-' || n, 'Customer ' || n, n || '@example.com',
                   n || ' Long Street, Back Entrance', 'Springfield', '12345', 'USD', 25.00,
                   'PENDING', 'clear', 1
            FROM generate_series(1, %s) n
            """,
            [orders],
        )
        cursor.execute(
            """
            INSERT INTO orders_orderitem (order_id, product_id, quantity, unit_price)
            SELECT number, 'SKU-' || n, n, 12.50 FROM orders_order, generate_series(1, %s) n
            """,
            [lines],
        )
        cursor.execute("ANALYZE orders_order, orders_orderitem")
        cursor.execute("SELECT set_config('statement_timeout', '15s', true)")


def table(data: bytes) -> list[dict[str, str]]:
    """Return the rows of a file under their headings, as a spreadsheet would read it."""
    return list(csv.DictReader(StringIO(data.decode("utf-8-sig"), newline="")))


def joined(chunks: Iterable[Chunk]) -> bytes:
    """Return a whole file."""
    return b"".join(chunk.data for chunk in chunks)
