"""Staff at the order desk: sign in, confirm, complete, be told of a shortage; on any screen."""

import pytest
from playwright.sync_api import Page, expect

from inventory_client.sandbox.server import Sandbox
from orders.models import Order, User
from tests.admin.pages import page as address
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.looks import fit
from tests.factories import order_of, stock

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),  # one process, so one Chromium at a time
    pytest.mark.usefixtures("committed_db"),
]


def status(order: Order) -> str:
    return Order.objects.get(pk=order.pk).status


def see(page: Page, text: str) -> None:
    """Wait for a message, or an entry of the timeline, that contains a text."""
    expect(page.get_by_role("listitem").filter(has_text=text)).to_be_visible()


def run_on(page: Page, action: str, *orders: Order) -> None:
    """Select orders in the list and run an action on them."""
    page.goto("/admin/orders/order/")
    for order in orders:
        page.get_by_role("row", name=f"#{order.pk}").get_by_role("checkbox").check()
    page.get_by_label("Select action to run").select_option(action)
    page.get_by_role("button", name="Run").click()


def test_manager_confirms_and_completes_by_button_and_list(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 45, "9": 20})
    first, *three = (order_of(p10=2, p9=1), order_of(p10=3), order_of(p9=4), order_of(p10=1))
    page = open_page()
    sign_in(page, manager)

    page.get_by_role("link", name=f"#{first.pk}").click()
    page.get_by_role("button", name="Confirm").press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Confirm").press("Enter")
    see(page, f"#{first.pk} confirmed")
    assert stock(sandbox) == {"10": 43, "9": 19}

    run_on(page, "confirm", *three)
    for order in three:
        see(page, f"#{order.pk} confirmed")
    assert [status(order) for order in three] == ["CONFIRMED"] * 3
    assert stock(sandbox) == {"10": 39, "9": 15}

    page.goto(address(first))
    page.get_by_role("button", name="Complete").click()
    page.get_by_role("dialog").get_by_role("button", name="Complete").click()
    see(page, f"#{first.pk} completed")
    assert status(first) == "COMPLETED"
    assert stock(sandbox) == {"10": 39, "9": 15}
    expect(page.get_by_role("button", name="Confirm")).to_have_count(0)


def test_manager_is_told_what_is_short(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 1})
    order = order_of(p10=2)
    page = open_page()
    sign_in(page, manager)
    run_on(page, "confirm", order)
    see(page, f"#{order.pk}: 2 × 10 short, 1 in stock")
    expect(page.get_by_role("row", name=f"#{order.pk}")).to_contain_text("short")
    assert (status(order), stock(sandbox)) == ("PENDING", {"10": 1})


def test_manager_cancels_with_a_reason_and_adds_a_note_by_keyboard(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    order = order_of(p10=2)
    page = open_page()
    sign_in(page, manager)
    page.goto(address(order))

    page.get_by_label("New note").fill("Rang twice, no answer")
    page.get_by_role("button", name="Add note").press("Enter")
    expect(page.get_by_role("article")).to_contain_text("Rang twice, no answer")

    page.get_by_role("button", name="Cancel…").press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").select_option("duplicate")
    dialog.get_by_label("Note").fill("Wrote so")
    dialog.get_by_role("button", name="Cancel the order").press("Enter")
    see(page, f"#{order.pk} cancelled")
    expect(page.get_by_role("article").filter(has_text="Wrote so")).to_be_visible()
    assert status(order) == "CANCELLED"


def test_pages_fit_every_screen(open_page: OpenPage, manager: User, sandbox: Sandbox) -> None:
    orders = a_working_day(sandbox)
    page = open_page()
    sign_in(page, manager)
    run_on(page, "confirm", *orders[:4])
    see(page, f"#{orders[3].pk} confirmed")
    fit(page, "list", whole=False)
    page.goto(address(orders[0]))
    expect(page.get_by_role("button", name="Complete")).to_be_visible()
    fit(page, "order")


def a_working_day(sandbox: Sandbox) -> list[Order]:
    """Return orders of several customers, of which the third is short of stock."""
    sandbox.store.set_stock({"10": 45, "9": 20, "MUG-BLUE": 3, "TEE-M": 60})
    orders = [
        order_of("24.50", p10=2, p9=1),
        order_of("9.90", **{"TEE-M": 12}),
        order_of("14.00", **{"MUG-BLUE": 6, "p9": 2}),
        order_of("119.00", p10=1),
        order_of("24.50", p9=3, **{"TEE-M": 1, "MUG-BLUE": 1, "p10": 4}),
        order_of("5.25", p9=8),
    ]
    people = ["Ada Byron", "Grace Brewster", "Edsger de Vries", "Barbara Huber", "Alan Mathison"]
    for order, name in zip(orders, [*people, "Katherine Coleman"], strict=True):
        order.full_name = name
        order.email = f"{name.split()[0].lower()}@example.com"
        order.save(update_fields=["full_name", "email"])
    return orders
