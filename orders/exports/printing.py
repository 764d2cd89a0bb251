"""Packing slips and invoices of many orders in one file."""

from collections.abc import Iterator, Sequence

from django.conf import settings
from django.db.models import Prefetch

from orders import documents
from orders.documents import Sheet, Shop
from orders.exports.writing import Chunk
from orders.models import Order, OrderItem
from orders.status import ExportKind

MOST_PRINTED = 500  # orders of one file, all of which is kept in memory
_AT_ONCE = 50  # orders of one statement

_RENDERED = {ExportKind.SLIPS: documents.slips, ExportKind.INVOICES: documents.invoices}


def pdf_of(kind: ExportKind, numbers: Sequence[int]) -> Iterator[Chunk]:
    """Yield the orders' file in one piece; what does not exist is left out."""
    every = list(numbers)
    shop = Shop(settings.SHOP_NAME, settings.SHOP_ADDRESS)
    yield Chunk(len(every), _RENDERED[kind](sheets(every), shop))


def sheets(numbers: Sequence[int]) -> Iterator[Sheet]:
    """Yield what the documents say of each order, in two statements a batch."""
    items = Prefetch("items", OrderItem.objects.order_by("pk"))
    for start in range(0, len(numbers), _AT_ONCE):
        batch = Order.objects.filter(pk__in=numbers[start : start + _AT_ONCE])
        yield from map(documents.sheet_of, batch.order_by("pk").prefetch_related(items))
