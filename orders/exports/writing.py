"""Orders and their lines as CSV, in pieces, however many there are.

The newest order comes first, and each batch is a statement of its own that goes on below the last
number: none runs long, no cursor or transaction stays open while a slow client reads, and what is
placed meanwhile has a higher number, so that it ends. The file is therefore no snapshot: an order
that changes meanwhile is as its batch found it.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from orders.exports.columns import COLUMNS
from orders.models import Order, OrderItem
from orders.status import ExportKind

Cell = str | int | Decimal | datetime
Row = Sequence[Cell]

BYTE_ORDER_MARK = "\ufeff"  # without it a spreadsheet takes UTF-8 for something else
MOST_ORDERS = 1_000  # of one statement
MOST_LINES = 4_000

# What a spreadsheet would run as a formula, after OWASP's "CSV Injection"; also behind blanks, and
# in the full-width forms that some take for the same (which ruff takes for a slip of the keyboard).
_FORMULA = re.compile(r"[\t\r\n]|\s*[=+\-@＝＋－＠]")  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a file, and how many rows it brings."""

    rows: int
    data: bytes


def csv_of(kind: ExportKind, orders: QuerySet[Order]) -> Iterator[Chunk]:
    """Yield the orders' file: its head, then a chunk a statement.

    UTF-8 with a byte order mark, comma, CRLF; text in quotes, numbers not.
    """
    headings = tuple(column.heading for column in COLUMNS[kind])
    yield Chunk(0, (BYTE_ORDER_MARK + _lines([headings])).encode())
    fields = [column.field for column in COLUMNS[kind]]
    for rows in _ROWS[kind](orders, fields):
        yield Chunk(len(rows), _lines(map(_shown, row) for row in rows).encode())


def neutral(text: str) -> str:
    """Return the text as no spreadsheet runs it: an apostrophe before what may be a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def _shown(cell: Cell) -> str | int | Decimal:
    """Return what stands in the file: a number as it is, a time as ISO 8601, text made harmless."""
    match cell:
        case str():
            return neutral(cell)
        case datetime():
            return cell.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return cell


def _lines(rows: Iterable[Iterable[object]]) -> str:
    text = StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_NONNUMERIC).writerows(rows)
    return text.getvalue()


def _batches(orders: QuerySet[Order]) -> Iterator[list[int]]:
    """Yield the orders' numbers by falling number; the caller's own order is dropped.

    Numbers alone, so that the filter is asked once a batch whatever the rows then need.
    """
    numbers = orders.prefetch_related(None).order_by("-number").values_list("number", flat=True)
    below = Q()
    while batch := list(numbers.filter(below)[:MOST_ORDERS]):
        yield batch
        if len(batch) < MOST_ORDERS:
            return
        below = Q(number__lt=batch[-1])


def _order_rows(orders: QuerySet[Order], fields: Sequence[str]) -> Iterator[list[Row]]:
    items = OrderItem.objects.filter(order=OuterRef("pk")).order_by().values("order")
    rows = Order.objects.annotate(
        lines=Coalesce(Subquery(items.annotate(n=Count("pk")).values("n")), 0),
        pieces=Coalesce(Subquery(items.annotate(n=Sum("quantity")).values("n")), 0),
    ).order_by("-number")
    for batch in _batches(orders):
        yield list(rows.filter(pk__in=batch).values_list(*fields))


def _line_rows(orders: QuerySet[Order], fields: Sequence[str]) -> Iterator[list[Row]]:
    """An order has up to 100 lines, so a batch's lines come in batches of their own."""
    lines = (
        OrderItem.objects.annotate(amount=F("quantity") * F("unit_price"))
        .order_by("-order", "pk")
        .values_list("order_id", "pk", *fields)
    )
    for batch in _batches(orders):
        after = Q()
        while rows := list(lines.filter(after, order__in=batch)[:MOST_LINES]):
            yield [row[2:] for row in rows]
            if len(rows) < MOST_LINES:
                break
            order, line = rows[-1][:2]
            after = Q(order__lt=order) | Q(order=order, pk__gt=line)


_ROWS: dict[ExportKind, Callable[[QuerySet[Order], Sequence[str]], Iterator[list[Row]]]] = {
    ExportKind.ORDERS: _order_rows,
    ExportKind.LINES: _line_rows,
}
