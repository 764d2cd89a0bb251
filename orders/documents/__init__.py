"""Packing slips and invoices as PDF: pure rendering, that knows neither requests nor queries.

`content` is what a document says, `slip` and `invoice` say where it stands, `layout` flows it over
pages, and `pdf` and `fonts` make bytes of them.
"""

from orders.documents.content import Line, Sheet, Shop, sheet_of
from orders.documents.invoice import invoices
from orders.documents.slip import slips

__all__ = ["Line", "Sheet", "Shop", "invoices", "sheet_of", "slips"]
