"""Staff decide a review by keyboard, and watch a batch reach its end; on any screen."""

import pytest
from playwright.sync_api import Page, expect

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.actor import Actor
from orders.models import Order, OrderNote, User
from orders.status import Door
from tests.admin.desk import in_review, work
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.looks import fit
from tests.factories import OPERATOR, order_of, stock
from tests.processes import wait_for, worker

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),  # one process, so one Chromium at a time
    pytest.mark.usefixtures("committed_db"),
]


def test_manager_decides_a_review_with_a_note_by_keyboard(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    order, _ = in_review(sandbox)
    page = open_page()
    sign_in(page, manager)
    page.get_by_role("navigation").get_by_role("link", name="Review").first.press("Enter")
    page.get_by_role("row", name=f"#{order.pk}").get_by_role("link", name="10", exact=True).press(
        "Enter"
    )
    expect(page.get_by_text("Somebody else changed the stock: +5")).to_be_visible()

    page.get_by_label("How do you know?").focus()
    page.keyboard.type("Found in its log")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Not applied")).to_be_focused()
    page.keyboard.press("Enter")

    told = page.get_by_role("listitem").filter(has_text=f"−2 × 10 of #{order.pk}: not applied.")
    expect(told).to_be_visible()
    work()
    order.refresh_from_db()
    assert (order.status, stock(sandbox)) == ("CONFIRMED", {"10": 48})
    assert OrderNote.objects.get().text == "Found in its log"


def confirm_all(page: Page, *orders: Order) -> None:
    """Select orders in the list, confirm them, and arrive at the batch."""
    page.goto("/admin/orders/order/?status__exact=PENDING")
    for order in orders:
        page.get_by_role("row", name=f"#{order.pk}").get_by_role("checkbox").check()
    page.get_by_label("Select action to run").select_option("confirm")
    page.get_by_role("button", name="Run").click()
    page.wait_for_url("**/batch/*/change/")


def test_manager_confirms_eight_and_sees_the_batch_reach_its_end(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 13})
    orders = [order_of(p10=2) for _ in range(8)]
    page = open_page()
    sign_in(page, manager)
    confirm_all(page, *orders)
    expect(page.get_by_role("status")).to_have_text("0 of 8 done")

    with worker(sandbox.url):
        expect(page.get_by_role("status")).to_have_text("8 of 8 done", timeout=40_000)
        wait_for(lambda: lifecycle.next_due_in() is None)

    expect(page.get_by_role("progressbar")).to_have_attribute("value", "8")
    rows = page.get_by_role("row").filter(has_text="2 × 10 short, 1 in stock")
    expect(rows).to_have_count(2)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2500)  # milliseconds: longer than from one refresh to the next
    assert asked == []
    page.get_by_role("link", name=f"#{orders[6].pk}").press("Enter")
    page.wait_for_url(f"**/order/{orders[6].pk}/change/")
    assert stock(sandbox) == {"10": 1}


def test_batch_refreshes_itself_without_javascript(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 5})
    batch = lifecycle.confirm_many([order_of(p10=1).pk], actor=OPERATOR)
    page = open_page(javascript=False)
    sign_in(page, manager)
    page.goto(f"/admin/orders/batch/{batch.pk}/change/")
    expect(page.get_by_role("status")).to_have_text("0 of 1 done")
    work()
    expect(page.get_by_role("status")).to_have_text("1 of 1 done")


def test_pages_fit_every_screen(open_page: OpenPage, manager: User, sandbox: Sandbox) -> None:
    _, movement = in_review(sandbox)
    movement.attempts.update(trace_id="4bf92f3577b34da6a3ce929d0e0e4736")
    lifecycle.confirm(order_of(p10=3).pk, actor=OPERATOR)
    sandbox.store.set_stock({"10": 20, "MUG-BLUE": 3, "TEE-M": 60})
    wanted = [order_of("18.00", **{"TEE-M": 5}) for _ in range(9)]
    wanted += [
        order_of("14.00", **{"MUG-BLUE": 2}),
        order_of("14.00", **{"MUG-BLUE": 6, "p10": 30}),
        order_of(p10=4),
    ]
    numbers = [each.pk for each in wanted]
    morgan = Actor(via=Door.ADMIN, user=manager)
    batch = lifecycle.confirm_many(numbers, actor=morgan)
    page = open_page()
    sign_in(page, manager)
    desk = "/admin/orders/stockmovement/"
    batches = "/admin/orders/batch/"
    for title, path, done in (
        ("reviews", desk, 0),
        ("review", f"{desk}{movement.pk}/change/", 0),
        ("batch-begun", f"{batches}{batch.pk}/change/", 11),
        ("batch", f"{batches}{batch.pk}/change/", 1),
        ("batches", batches, 0),
    ):
        for _ in range(done):
            lifecycle.advance_due()
        page.goto(path)
        fit(page, title)
