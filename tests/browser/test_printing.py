"""Staff get packing slips from the order page and from the list."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from orders.models import User
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.looks import fit
from tests.documents.sheets import pages
from tests.factories import order_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),  # one process, so one Chromium at a time
    pytest.mark.usefixtures("committed_db"),
]


def test_order_page_links_its_documents(open_page: OpenPage, manager: User) -> None:
    placed = order_of(p10=2)
    page = open_page()
    sign_in(page, manager)
    page.goto(f"/admin/orders/order/{placed.pk}/change/")
    for link, name in (("Packing slip", "packing-slip"), ("Invoice", "invoice")):
        with page.expect_download() as coming:
            page.get_by_role("link", name=link).press("Enter")
        assert coming.value.suggested_filename == f"{name}-{placed.pk}.pdf"
        (text,) = pages(Path(coming.value.path()).read_bytes())
        assert any(f"Order {placed.pk}" in line for line in text)
    fit(page, "documents")


def test_list_prints_the_selected_orders_in_one_file(open_page: OpenPage, manager: User) -> None:
    orders = [order_of(p10=2) for _ in range(3)]
    page = open_page()
    sign_in(page, manager)
    for each in orders[:2]:
        page.get_by_role("row", name=f"#{each.pk}").get_by_role("checkbox").check()
    page.get_by_label("Select action to run").select_option("packing_slips")
    with page.expect_download() as coming:
        page.get_by_role("button", name="Run").click()
    assert len(pages(Path(coming.value.path()).read_bytes())) == 2
    expect(page.get_by_role("row", name=f"#{orders[0].pk}")).to_be_visible()
