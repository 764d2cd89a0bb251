"""Many orders at once, from the list to the batch's page, by mouse and by keyboard."""

import pytest
from playwright.sync_api import Page, expect

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Batch, Order, User
from tests.admin.desk import carry_out, work
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.looks import fit
from tests.factories import OPERATOR, order_of, stock

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.usefixtures("committed_db"),
]


def choose(page: Page, action: str) -> None:
    """Run an action on what is selected."""
    page.get_by_label("Select action to run").select_option(action)
    page.get_by_role("button", name="Run").click()


def test_manager_confirms_all_that_match_and_watches_them(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 100})
    for _ in range(60):
        order_of(p10=1)
    page = open_page()
    sign_in(page, manager)
    page.goto("/admin/orders/order/?status__exact=PENDING")
    page.locator("#action-toggle").check()
    page.get_by_role("link", name="Select all 60").click()
    choose(page, "confirm")

    expect(page.get_by_role("heading", name="Confirm 60 orders", level=2)).to_be_visible()
    assert stock(sandbox) == {"10": 100}, "it is asked first"
    page.get_by_role("button", name="Confirm 60 orders").press("Enter")

    expect(page.get_by_role("status")).to_have_text("0 of 60 done")
    work()
    expect(page.get_by_role("status")).to_have_text("60 of 60 done")
    assert stock(sandbox) == {"10": 40}
    assert not Order.objects.exclude(status="CONFIRMED").exists()


def test_manager_holds_many_for_a_reason_and_tries_the_refused_again(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 100})
    orders = [order_of(p10=1) for _ in range(7)]
    lifecycle.confirm_many([orders[0].pk], actor=OPERATOR)
    page = open_page()
    sign_in(page, manager)
    page.locator("#action-toggle").check()
    choose(page, "hold")
    page.get_by_label("Reason").select_option("payment")
    page.get_by_label("Note").fill("Ask the bank")
    page.get_by_role("button", name="Hold 7 orders").press("Enter")

    expect(page.get_by_role("status")).to_have_text("0 of 7 done")
    carry_out(Batch.objects.latest("pk"))
    expect(page.get_by_role("status")).to_have_text("7 of 7 done")
    expect(page.get_by_text("1 being confirmed")).to_be_visible()

    page.get_by_role("button", name="Try the 1 refused again").click()
    expect(page.get_by_role("status")).to_have_text("0 of 1 done")


def test_page_that_asks_fits_every_screen(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    for _ in range(12):
        order_of(p10=1)
    page = open_page()
    sign_in(page, manager)
    page.locator("#action-toggle").check()
    choose(page, "cancel")
    expect(page.get_by_label("Reason")).to_be_visible()
    fit(page, "bulk", whole=False)
