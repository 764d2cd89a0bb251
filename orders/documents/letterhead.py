"""The upper part of every document: whose it is, what it is, which order, and whom it is for."""

from datetime import datetime

from orders.documents import barcode
from orders.documents.content import Sheet, Shop
from orders.documents.layout import LARGE, LEADING, LEFT, NORMAL, RIGHT, SMALL, WIDTH, Flow

MODULE = 0.9  # points: 0.32 mm, which scanners read from a desk printer's paper
BARS = 30.0  # points high
HALF = WIDTH / 2 - 15


def date(moment: datetime) -> str:
    """Return a day as people write it, in UTC as all that this service shows."""
    return f"{moment.day} {moment:%B %Y}"


def letterhead(flow: Flow, shop: Shop, title: str, sheet: Sheet) -> None:
    """Fill the head of an order's first page, and leave the flow below it."""
    top = flow.y
    flow.paragraph(shop.name, width=HALF, size=13, bold=True)
    for line in shop.address:
        flow.paragraph(line, width=HALF, size=SMALL)
    below_shop = flow.y

    flow.y = top + LARGE
    flow.write(title, x=RIGHT, size=LARGE, bold=True, right=True)
    for line in (f"Order {sheet.number}", f"Placed {date(sheet.placed)}"):
        flow.y += NORMAL * LEADING * 1.1
        flow.write(line, x=RIGHT, right=True)
    _draw_code(flow, str(sheet.number))

    flow.y = max(flow.y, below_shop) + 24
    if sheet.mark:
        _draw_mark(flow, sheet.mark)
    for nth, line in enumerate(sheet.recipient):
        flow.paragraph(line, width=HALF + 60, size=11, bold=nth == 0)
    flow.y += 18


def _draw_code(flow: Flow, text: str) -> None:
    left = RIGHT - barcode.modules(text) * MODULE
    flow.y += 10
    for begin, width in barcode.bars(text):
        flow.page.bar(left + begin * MODULE, flow.y, width * MODULE, BARS)
    flow.y += BARS


def _draw_mark(flow: Flow, mark: str) -> None:
    height = 30.0
    flow.page.box(LEFT, flow.y, WIDTH, height, 2)
    flow.write(mark, x=LEFT + 10, y=flow.y + height / 2 + 5, size=15, bold=True)
    flow.y += height + 14
