"""The CSV files: what stands in them, that nothing in them runs, and that batches lose nothing."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.exports import COLUMNS, csv_of, size, writing
from orders.exports.writing import neutral
from orders.models import Order
from orders.status import ExportKind
from tests.exports.rows import joined, table
from tests.factories import order, order_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "\u00a0=cmd()",
        "＝1+1",  # noqa: RUF001
        "＠x",  # noqa: RUF001
        "-",
    ],
)
def test_neutral_of_what_a_spreadsheet_would_run_puts_an_apostrophe_before_it(text: str) -> None:
    assert neutral(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "John Doe", "a=b", "12345", "john+x@example.com", "'=1", "é"])
def test_neutral_of_other_text_leaves_it(text: str) -> None:
    assert neutral(text) == text


def test_orders_file_holds_each_column_as_documented() -> None:
    placed = order_of("12.50", p10=2, p9=1)
    Order.objects.filter(pk=placed.pk).update(
        created_at=datetime(2026, 11, 22, 10, 0, 0, 123_456, UTC),
        updated_at=datetime(2026, 11, 22, 11, 30, tzinfo=UTC),
        customer_reference="guest-1",
    )
    data = joined(csv_of(ExportKind.ORDERS, Order.objects.all()))
    assert table(data) == [
        {
            "number": str(placed.pk),
            "status": "PENDING",
            "stock": "clear",
            "hold": "",
            "created_at": "2026-11-22T10:00:00.123Z",
            "updated_at": "2026-11-22T11:30:00.000Z",
            "customer_reference": "guest-1",
            "full_name": "John Doe",
            "email": "john@example.com",
            "address": "123 Main St",
            "city": "Springfield",
            "zip_code": "12345",
            "lines": "2",
            "pieces": "3",
            "currency": "USD",
            "total": "37.50",
        }
    ]
    assert data.startswith(b'\xef\xbb\xbf"number","status",')
    # Text stands in quotes and numbers do not, so that "007" and 7 stay apart.
    assert data.endswith(b'"12345",2,3,"USD",37.50\r\n')


def test_lines_file_holds_each_column_as_documented() -> None:
    older = order_of("0.10", p1=3)
    placed = order_of("12.50", p10=2, p9=1)
    Order.objects.update(created_at=datetime(2026, 11, 22, 10, tzinfo=UTC))
    rows = table(joined(csv_of(ExportKind.LINES, Order.objects.all())))
    assert [(row["order_number"], row["product_id"], row["subtotal"]) for row in rows] == [
        (str(placed.pk), "10", "25.00"),
        (str(placed.pk), "9", "12.50"),
        (str(older.pk), "1", "0.30"),
    ]
    assert rows[2] == {
        "order_number": str(older.pk),
        "order_status": "PENDING",
        "order_created_at": "2026-11-22T10:00:00.000Z",
        "full_name": "John Doe",
        "email": "john@example.com",
        "product_id": "1",
        "quantity": "3",
        "currency": "USD",
        "unit_price": "0.10",
        "subtotal": "0.30",
    }


def test_order_without_lines_is_in_the_orders_file() -> None:
    order()
    (row,) = table(joined(csv_of(ExportKind.ORDERS, Order.objects.all())))
    assert (row["lines"], row["pieces"]) == ("0", "0")


@pytest.mark.parametrize("kind", COLUMNS)
def test_files_never_hold_the_public_id(kind: ExportKind) -> None:
    placed = order_of(p10=1)
    data = joined(csv_of(kind, Order.objects.all())).decode()
    assert str(placed.pk) in data
    assert str(placed.public_id) not in data
    assert placed.public_id.hex not in data


@pytest.mark.parametrize("kind", COLUMNS)
def test_files_neutralise_what_customers_write_and_keep_our_numbers(kind: ExportKind) -> None:
    evil = '=HYPERLINK("http://x.example","a;b,c")'
    placed = order(full_name=evil, total=Decimal("10.00"))
    placed.items.create(product_id="-2+3", quantity=1, unit_price=Decimal("10.00"))
    (row,) = table(joined(csv_of(kind, Order.objects.all())))
    assert row["full_name"] == f"'{evil}"
    assert row.get("product_id", "'-2+3") == "'-2+3"
    assert row.get("total", "10.00") == row.get("subtotal", "10.00") == "10.00"


def test_files_keep_any_script_and_line_breaks_within_a_cell() -> None:
    name = 'Ελένη "Лена"\nŁódź 李'
    order(full_name=name)
    (row,) = table(joined(csv_of(ExportKind.ORDERS, Order.objects.all())))
    assert row["full_name"] == name


@pytest.mark.parametrize("orders", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("kind", COLUMNS)
def test_batches_of_two_bring_each_row_once_newest_first(
    monkeypatch: pytest.MonkeyPatch, kind: ExportKind, orders: int
) -> None:
    monkeypatch.setattr(writing, "MOST_ORDERS", 2)
    monkeypatch.setattr(writing, "MOST_LINES", 2)
    placed = [order_of(p1=1, p2=1, p3=1) for _ in range(orders)]
    chunks = list(csv_of(kind, Order.objects.all()))
    rows = table(joined(chunks))
    if kind == ExportKind.ORDERS:
        assert [int(row["number"]) for row in rows] == [each.pk for each in reversed(placed)]
    else:
        assert [(int(row["order_number"]), row["product_id"]) for row in rows] == [
            (each.pk, product) for each in reversed(placed) for product in "123"
        ]
    assert sum(chunk.rows for chunk in chunks) == len(rows)


def test_orders_placed_meanwhile_do_not_make_it_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "MOST_ORDERS", 1)
    for _ in range(3):
        order()
    rows = []
    for chunk in csv_of(ExportKind.ORDERS, Order.objects.all()):
        rows += [chunk.rows]
        order()
    assert rows == [0, 1, 1, 1, 1]  # the head, what came before the first batch, and no more


@pytest.mark.parametrize(("kind", "statements"), [(ExportKind.ORDERS, 2), (ExportKind.LINES, 2)])
def test_file_of_many_orders_costs_two_statements_a_batch(
    kind: ExportKind, statements: int
) -> None:
    for _ in range(10):
        order_of(p1=1, p2=2)
    with CaptureQueriesContext(connection) as queries:
        joined(csv_of(kind, Order.objects.prefetch_related("items").order_by("total")))
    assert len(queries) == statements


@pytest.mark.parametrize(("kind", "rows"), [(ExportKind.ORDERS, 3), (ExportKind.LINES, 6)])
def test_size_counts_what_the_file_will_hold(kind: ExportKind, rows: int) -> None:
    for _ in range(3):
        order_of(p1=1, p2=2)
    found = size(kind, Order.objects.all())
    assert found is not None
    assert (found.rows, found.exact) == (rows, True)


def test_size_beyond_what_is_counted_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.exports.counting.MOST_COUNTED", 2)
    for _ in range(3):
        order()
    found = size(ExportKind.ORDERS, Order.objects.all())
    assert found is not None
    assert (found.rows, found.exact) == (2, False)


def test_size_that_takes_too_long_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.exports.counting.PATIENCE_MS", 50)
    order()
    slow = Order.objects.extra(where=["pg_sleep(1) IS NOT NULL"])
    assert size(ExportKind.ORDERS, slow) is None
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("15s",)
