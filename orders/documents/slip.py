"""The packing slip: what goes into the parcel, without prices."""

from collections.abc import Iterable

from orders.documents.content import Sheet, Shop
from orders.documents.layout import LEADING, NORMAL, WIDTH, Column, Flow
from orders.documents.letterhead import letterhead
from orders.documents.pdf import File

COLUMNS = (
    Column("Product", WIDTH - 150),
    Column("Quantity", 70, right=True),
    Column("", 30),
    Column("Packed", 50, tick=True),
)


def slips(sheets: Iterable[Sheet], shop: Shop) -> bytes:
    """Return the orders' packing slips as one PDF; each begins on a page of its own."""
    file = File("Packing slips", shop.name)
    for sheet in sheets:
        flow = Flow(f"Packing slip of order {sheet.number}")
        letterhead(flow, shop, "Packing slip", sheet)
        rows = ((line.product_id, f"{line.quantity:,}", "", "") for line in sheet.lines)
        flow.table(COLUMNS, rows)
        pieces = sum(line.quantity for line in sheet.lines)
        flow.room(NORMAL * LEADING * 2)
        flow.y += NORMAL * LEADING * 1.5
        flow.write(f"{_count(len(sheet.lines), 'line')}, {_count(pieces, 'piece')}", bold=True)
        flow.finish(file)
    return file.written()


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
