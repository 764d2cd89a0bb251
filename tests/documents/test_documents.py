"""Packing slips and invoices, read back from the PDF."""

import time
import tracemalloc
from decimal import Decimal
from typing import Any

import pytest

from orders.documents import Line, Sheet, invoices, slips
from orders.status import OrderStatus
from tests.documents.sheets import SHOP, pages, sheet


def test_slip_says_all_that_a_parcel_needs_and_no_price() -> None:
    (page,) = pages(slips([sheet()], SHOP))
    assert page == [
        "Springfield Goods",
        "1 Harbour Road",
        "12345 Springfield",
        "Packing slip",
        "Order 100042",
        "Placed 22 November 2026",
        "John Doe",
        "123 Main St",
        "12345 Springfield",
        "Product Quantity Packed",
        "SKU-1 1",
        "SKU-2 2",
        "2 lines, 3 pieces",
        "Packing slip of order 100042 Page 1 of 1",
    ]


def test_invoice_says_what_the_order_costs() -> None:
    (page,) = pages(invoices([sheet()], SHOP))
    assert page[3:6] == ["Invoice", "Order 100042", "Placed 22 November 2026"]
    assert page[9:] == [
        "Product Quantity Unit price Amount",
        "SKU-1 1 12.50 12.50",
        "SKU-2 2 12.50 25.00",
        "Total  37.50 USD",
        "Invoice number 100042 is the order's number.",
        "Customer: john@example.com",
        "Invoice 100042 Page 1 of 1",
    ]


@pytest.mark.parametrize(
    ("fields", "title", "mark"),
    [
        ({"status": OrderStatus.PENDING}, "Pro forma", "NOT CONFIRMED"),
        ({"status": OrderStatus.PENDING, "on_hold": True}, "Pro forma", "ON HOLD"),
        ({"status": OrderStatus.CANCELLED}, "Pro forma", "CANCELLED"),
        ({"status": OrderStatus.CONFIRMED}, "Invoice", None),
        ({"status": OrderStatus.COMPLETED}, "Invoice", None),
    ],
)
def test_documents_of_what_must_not_leave_bear_a_mark(
    fields: dict[str, Any], title: str, mark: str | None
) -> None:
    marks = {"NOT CONFIRMED", "ON HOLD", "CANCELLED"}
    (invoice,) = pages(invoices([sheet(**fields)], SHOP))
    (slip,) = pages(slips([sheet(**fields)], SHOP))
    assert title in invoice
    assert marks & set(invoice) == marks & set(slip) == ({mark} if mark else set())


def test_each_order_begins_a_page_and_counts_its_own() -> None:
    found = pages(slips([sheet(number=1), sheet(60, number=2), sheet(number=3)], SHOP))
    assert [page[-1] for page in found] == [
        "Packing slip of order 1 Page 1 of 1",
        "Packing slip of order 2 Page 1 of 2",
        "Packing slip of order 2 Page 2 of 2",
        "Packing slip of order 3 Page 1 of 1",
    ]


def test_hundred_lines_flow_over_pages_under_a_head_each() -> None:
    found = pages(invoices([sheet(100)], SHOP))
    assert len(found) == 4
    for page in found[1:]:
        assert page[:2] == ["Invoice 100042, continued", "Product Quantity Unit price Amount"]
    rows = [line.split()[0] for page in found for line in page if line.startswith("SKU-")]
    assert rows == [f"SKU-{n}" for n in range(1, 101)]
    assert "Total  63,125.00 USD" in found[-1]


@pytest.mark.parametrize("lines", range(18, 32))
def test_total_is_never_parted_from_the_page_nor_written_over_its_foot(lines: int) -> None:
    found = pages(invoices([sheet(lines)], SHOP))
    assert sum("Total  " in line for page in found for line in page) == 1
    assert found[-1][-1].startswith("Invoice 100042 Page ")


@pytest.mark.parametrize(
    "name",
    [
        "Łukasz Żółć-Ñandú Øåß İğüş Đặng",
        "Ελένη Παπαδοπούλου ᾍ",
        "Иван Щукин Ґ Ѓ Ђ",
        "Արամ გიორგი",
        "O’Neill “x” – № 5 € ₴ ₺",  # noqa: RUF001
    ],
)
def test_names_in_european_scripts_are_drawn_and_can_be_copied(name: str) -> None:
    (page,) = pages(slips([sheet(recipient=(name, "1 St", "1 X"))], SHOP))
    assert name in page
    assert not any("lacks" in line for line in page)


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("李 Wang", "□ Wang"),
        ("\u05d3\u05d5\u05d3 X", "□□□ X"),
        ("😀", "□"),
        ("\U0010ffff\ue000", "□□"),
    ],
)
def test_character_that_the_font_lacks_is_a_box_and_a_note_says_so(name: str, drawn: str) -> None:
    (page,) = pages(slips([sheet(recipient=(name, "1 St", "1 X"))], SHOP))
    assert drawn in page
    assert "□ is a character that this document's font lacks; the order has it." in page


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("e\u0301", "é"),  # an accent apart
        ("\uff21\uff11", "A1"),  # full width
        ("a\u200bb\u202ec", "abc"),  # a mark of no width, one of direction
        ("a\tb  c", "a b c"),
        ("", "1 St"),
    ],
)
def test_text_is_drawn_as_people_would_write_it(text: str, drawn: str) -> None:
    (page,) = pages(slips([sheet(recipient=(text, "1 St", "1 X"))], SHOP))
    assert drawn in page
    assert not any("lacks" in line for line in page)


def test_longest_fields_wrap_and_lose_nothing() -> None:
    name, address = "N" * 200, "word " * 99 + "W" * 5
    product = "P" * 100
    biggest = Line(product, 100_000_000, Decimal("9999999.99"))
    one = sheet(
        number=10**18 - 1,
        recipient=(name, address, "Z" * 20 + " " + "C" * 100),
        email="e" * 242 + "@example.com",
        total=Decimal("9999999999999999.99"),
        lines=[biggest] * 100,
    )
    for render in (slips, invoices):
        found = pages(render([one], SHOP))
        text = "".join(line for page in found for line in page)
        for letter, times in (("N", 200), ("W", 5), ("Z", 20)):
            assert text.count(letter) - text.count("NOT") >= times
        assert text.count("P") >= 100 * 100
    assert "Total  9,999,999,999,999,999.99 USD" in found[-1]
    assert sum("999,999,999,000,000.00" in line for page in found for line in page) == 100


def test_order_without_lines_and_shop_without_address_still_print() -> None:
    for render in (slips, invoices):
        (page,) = pages(render([sheet(0)], SHOP.__class__("")))
        assert "Order 100042" in page


def test_file_of_no_orders_is_still_a_file() -> None:
    assert pages(slips([], SHOP)) == []


def test_500_slips_are_made_in_bounded_time_and_memory() -> None:
    """0.7 s of processor where it was written; 10 s leave room for a machine that is busy."""
    every: list[Sheet] = [sheet(5, number=100_000 + n) for n in range(500)]
    slips(every[:1], SHOP)  # reads the fonts
    begun = time.process_time()
    data = slips(every, SHOP)
    assert time.process_time() - begun < 10
    assert len(data) < 1_500_000

    tracemalloc.start()
    slips(every, SHOP)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 1024 * 1024
