"""Orders for documents, and what a reader finds in the PDF."""

from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

from pypdf import PdfReader

from orders.documents import Line, Sheet, Shop
from orders.status import OrderStatus

SHOP = Shop("Springfield Goods", ("1 Harbour Road", "12345 Springfield"))


def sheet(count: int = 2, **fields: Any) -> Sheet:
    """Return a CONFIRMED order of `count` lines, each of one piece more than the one before."""
    every = [Line(f"SKU-{n}", n, Decimal("12.50")) for n in range(1, count + 1)]
    usual: dict[str, Any] = {
        "number": 100042,
        "placed": datetime(2026, 11, 22, 10, tzinfo=UTC),
        "status": OrderStatus.CONFIRMED,
        "on_hold": False,
        "recipient": ("John Doe", "123 Main St", "12345 Springfield"),
        "email": "john@example.com",
        "currency": "USD",
        "total": sum((line.amount for line in every), Decimal(0)),
        "lines": every,
    }
    return Sheet(**(usual | fields))


def pages(data: bytes) -> list[list[str]]:
    """Return the text of each page, line by line."""
    reader = PdfReader(BytesIO(data), strict=True)
    return [page.extract_text().splitlines() for page in reader.pages]
