"""Managers download what the list shows: with progress, cancelled, broken off, without script."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from playwright.sync_api import Download, expect

from orders.exports import writing
from orders.models import Export, Order, User
from orders.status import ExportKind
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.looks import fit
from tests.exports.rows import table
from tests.factories import order_of
from tests.processes import wait_for

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),  # one process, so one Chromium at a time
    pytest.mark.usefixtures("committed_db"),
]


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """Let batches of one order leave, two of them at once and the others when this is set."""
    opened = Event()
    monkeypatch.setattr(writing, "MOST_ORDERS", 1)
    whole = writing._ROWS[ExportKind.ORDERS]

    def gated(*args: Any) -> Iterator[Any]:
        for already, rows in enumerate(whole(*args)):
            assert already < 2 or opened.wait(30)
            yield rows

    monkeypatch.setitem(writing._ROWS, ExportKind.ORDERS, gated)
    yield opened
    opened.set()


def saved(download: Download) -> list[dict[str, str]]:
    """Return the rows of the file that the browser saved."""
    return table(Path(download.path()).read_bytes())


def test_manager_exports_the_selected_orders_by_keyboard_and_sees_the_progress(
    open_page: OpenPage, manager: User, gate: Event
) -> None:
    orders = [order_of(p10=2) for _ in range(8)]
    page = open_page()
    sign_in(page, manager)
    for each in orders[:6]:
        page.get_by_role("row", name=f"#{each.pk}").get_by_role("checkbox").check()
    page.get_by_label("Select action to run").select_option("export_orders")
    page.get_by_role("button", name="Run").click()
    page.wait_for_url("**/export/orders/?numbers=*")
    expect(page.get_by_role("heading", name="6 orders")).to_be_visible()

    with page.expect_download() as coming:
        page.get_by_role("button", name="Download").press("Enter")
        expect(page.get_by_role("status")).to_have_text("Downloading…")
        expect(page.get_by_role("button", name="Download")).to_be_disabled()
        expect(page.get_by_text("2 of 6 orders")).to_be_visible()
        expect(page.get_by_role("progressbar")).to_have_attribute("value", "2")
        gate.set()
    expect(page.get_by_role("status")).to_have_text("Done: 6 orders downloaded.")
    expect(page.get_by_role("button", name="Download")).to_be_focused()
    assert coming.value.suggested_filename.startswith("orders-20")
    wanted = [str(each.pk) for each in reversed(orders[:6])]
    assert [row["number"] for row in saved(coming.value)] == wanted


def test_manager_cancels_an_export_and_may_begin_again(
    open_page: OpenPage, manager: User, gate: Event
) -> None:
    for _ in range(20):
        order_of(p10=2)
    page = open_page()
    sign_in(page, manager)
    page.goto("/admin/orders/order/export/orders/")
    page.get_by_role("button", name="Download").click()
    expect(page.get_by_text("2 of 20 orders")).to_be_visible()
    page.get_by_role("button", name="Cancel").press("Enter")
    expect(page.get_by_role("status")).to_have_text("Cancelled; nothing was saved.")
    expect(page.get_by_role("button", name="Download")).to_be_enabled()
    gate.set()
    wait_for(lambda: Export.objects.get().outcome == "broken_off")
    assert Export.objects.get().rows < 20


def test_export_that_breaks_off_says_so_and_saves_nothing(
    open_page: OpenPage, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_of(p10=2)
    page = open_page()
    sign_in(page, manager)
    page.goto("/admin/orders/order/export/orders/")
    downloads: list[Download] = []
    page.on("download", lambda download: downloads.append(download))
    page.route("**/export/orders/", lambda route: route.abort())
    page.get_by_role("button", name="Download").click()
    expect(page.get_by_role("status")).to_have_text("The download broke off; nothing was saved.")
    page.unroute("**/export/orders/")
    page.context.clear_cookies()  # as when the session has ended
    page.get_by_role("button", name="Download").click()
    expect(page.get_by_role("status")).to_contain_text("The server did not send the file")
    assert downloads == []


def test_export_without_javascript_is_a_plain_download(open_page: OpenPage, manager: User) -> None:
    placed = order_of(p10=2)
    page = open_page(javascript=False)
    sign_in(page, manager)
    page.goto("/admin/orders/order/export/lines/")
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download").click()  # nothing lies over it
    assert [row["order_number"] for row in saved(coming.value)] == [str(placed.pk)]


def test_export_pages_fit_every_screen(open_page: OpenPage, manager: User, gate: Event) -> None:
    for _ in range(5):
        order_of(p10=2)
    page = open_page()
    sign_in(page, manager)
    page.goto("/admin/orders/order/export/orders/?status__exact=PENDING&q=john%40example.com")
    page.get_by_role("button", name="Download").click()
    expect(page.get_by_text("2 of 5 orders")).to_be_visible()
    fit(page, "export")
    gate.set()
    expect(page.get_by_role("status")).to_contain_text("Done")
    page.goto("/admin/orders/export/")
    fit(page, "exports")
    assert Order.objects.count() == 5
