"""An export of 25,000 orders takes no more memory than one of a few batches."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orders.exports import csv_of
from orders.models import Order
from orders.status import ExportKind
from tests.exports.rows import seed

pytestmark = pytest.mark.django_db

ORDERS = 25_000
STATUS = Path("/proc/self/status")
MIB = 1024  # KiB, in which the kernel counts


def kibibytes(what: str) -> int:
    """Return one of the kernel's figures of this process."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(what))
    return int(line.split()[1])


def peak_growth(work: Iterator[object]) -> tuple[int, int]:
    """Run through the work; return by how many KiB the process grew at most, and its last count."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = kibibytes("VmRSS")
    rows = 0
    for each in work:
        rows += getattr(each, "rows", 1)
    return kibibytes("VmHWM") - before, rows


@pytest.mark.skipif(not STATUS.exists(), reason="reads the kernel's own figures")
def test_export_of_25_000_orders_stays_within_3_mebibytes() -> None:
    seed(ORDERS)
    few = Order.objects.filter(pk__in=Order.objects.values("pk")[:100])
    for kind, expected in ((ExportKind.ORDERS, ORDERS), (ExportKind.LINES, 2 * ORDERS)):
        list(csv_of(kind, few))  # what the first one of a process takes for good
        grown, rows = peak_growth(csv_of(kind, Order.objects.all()))
        assert rows == expected
        assert grown < 3 * MIB, f"{kind}: {grown / MIB:.0f} MiB"

    # The control: the same rows by one statement would not pass.
    grown, rows = peak_growth(Order.objects.values_list().iterator(chunk_size=ORDERS))
    assert grown > 3 * MIB
