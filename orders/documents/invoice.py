"""The invoice: what the order costs. It bears the order's number, for this service keeps no books.

What nobody has confirmed yet, or is cancelled, gets a pro forma: it asks for no money.
"""

from collections.abc import Iterable
from decimal import Decimal

from orders.documents.content import Sheet, Shop
from orders.documents.layout import LEADING, NORMAL, RIGHT, SMALL, WIDTH, Column, Flow
from orders.documents.letterhead import letterhead
from orders.documents.pdf import File
from orders.status import OrderStatus

COLUMNS = (
    Column("Product", WIDTH - 285),
    Column("Quantity", 75, right=True),
    Column("Unit price", 85, right=True),
    Column("Amount", 125, right=True),
)


def invoices(sheets: Iterable[Sheet], shop: Shop) -> bytes:
    """Return the orders' invoices as one PDF; each begins on a page of its own."""
    file = File("Invoices", shop.name)
    for sheet in sheets:
        title = _title(sheet)
        flow = Flow(f"{title} {sheet.number}")
        letterhead(flow, shop, title, sheet)
        rows = (
            (line.product_id, f"{line.quantity:,}", _money(line.unit_price), _money(line.amount))
            for line in sheet.lines
        )
        flow.table(COLUMNS, rows)
        flow.room(NORMAL * LEADING * 5)
        flow.y += NORMAL * LEADING * 1.6
        total = f"Total  {_money(sheet.total)} {sheet.currency}"
        flow.write(total, x=RIGHT, size=12, bold=True, right=True)
        flow.y += NORMAL * LEADING
        flow.paragraph(f"{title} number {sheet.number} is the order's number.", size=SMALL)
        flow.paragraph(f"Customer: {sheet.email}", size=SMALL)
        flow.finish(file)
    return file.written()


def _title(sheet: Sheet) -> str:
    confirmed = sheet.status in (OrderStatus.CONFIRMED, OrderStatus.COMPLETED)
    return "Invoice" if confirmed else "Pro forma"


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"
