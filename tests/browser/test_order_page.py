"""The order page: its dialogs by keyboard and by mouse, its live stock, and its correction."""

import pytest
from playwright.sync_api import Page, expect

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.actor import Actor
from orders.errors import InsufficientStock
from orders.models import Order, User
from orders.status import Door, HoldReason
from tests.admin.pages import address
from tests.admin.pages import page as page_of
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.looks import fit
from tests.factories import OPERATOR, order_of, staff, stock

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),  # one process, so one Chromium at a time
    pytest.mark.usefixtures("committed_db"),
]


def state(order: Order) -> tuple[str, str]:
    order.refresh_from_db()
    return order.status, order.hold_reason


def see(page: Page, text: str) -> None:
    """Wait for a message that contains a text."""
    expect(page.get_by_role("listitem").filter(has_text=text)).to_be_visible()


def open_order(page: Page, member: User, order: Order) -> None:
    """Sign in and go to an order."""
    sign_in(page, member)
    page.goto(page_of(order))


def test_every_verb_by_mouse_through_its_dialog(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 45, "9": 20})
    order = order_of(p10=2, p9=1)
    page = open_page()
    open_order(page, manager, order)
    dialog = page.get_by_role("dialog")

    page.get_by_role("button", name="Hold…").click()
    expect(dialog).to_contain_text("Nobody confirms it, bulk and API included")
    dialog.get_by_label("Reason").select_option("payment")
    dialog.get_by_label("Note").fill("Bank asks")
    dialog.get_by_role("button", name="Put on hold").click()
    see(page, f"#{order.pk} put on hold")
    on_hold = page.get_by_role("note").filter(has_text="On hold")
    expect(on_hold).to_contain_text("On hold: a question about the payment")
    expect(on_hold).to_contain_text("by morgan")
    assert state(order) == ("PENDING", "payment")

    page.get_by_role("button", name="Release").click()
    dialog.get_by_role("button", name="Release").click()
    see(page, f"#{order.pk} released")

    page.get_by_role("button", name="Confirm").click()
    expect(dialog).to_contain_text("Takes 2 × 10 and 1 × 9 from stock.")
    dialog.get_by_role("button", name="Confirm").click()
    see(page, f"#{order.pk} confirmed")
    assert stock(sandbox) == {"10": 43, "9": 19}

    page.get_by_role("button", name="Cancel…").click()
    expect(dialog).to_contain_text("Gives 2 × 10 and 1 × 9 back to stock.")
    dialog.get_by_role("link", name="Back").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Complete").click()
    expect(dialog).to_contain_text("Final: the goods have left.")
    dialog.get_by_role("button", name="Complete").click()
    see(page, f"#{order.pk} completed")
    assert state(order) == ("COMPLETED", "")


def test_every_dialog_by_keyboard_gives_the_focus_back(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    page = open_page()
    open_order(page, manager, order)
    dialog = page.get_by_role("dialog")

    for name, key in (("Confirm", "Enter"), ("Hold…", "Space"), ("Cancel…", "Enter")):
        opener = page.get_by_role("button", name=name)
        opener.focus()
        page.keyboard.press(key)
        expect(dialog).to_be_visible()
        expect(dialog).to_have_accessible_name(
            {"Confirm": "Confirm", "Hold…": "Put on hold", "Cancel…": "Cancel the order"}[name]
            + f": #{order.pk}"
        )
        assert page.evaluate("document.activeElement.closest('dialog') !== null")
        for _ in range(8):  # a dialog lets nothing behind it be reached
            page.keyboard.press("Tab")
            assert page.evaluate(
                "document.activeElement === document.body"
                " || document.activeElement.closest('dialog') !== null"
            )
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(opener).to_be_focused()
    assert state(order) == ("PENDING", "")

    page.get_by_role("button", name="Cancel…").press("Enter")
    expect(dialog.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("Ordered")  # the choice that begins so
    page.keyboard.press("Tab")
    page.keyboard.type("Wrote twice")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    see(page, f"#{order.pk} cancelled")
    expect(page.get_by_role("article")).to_contain_text("Wrote twice")
    assert state(order) == ("CANCELLED", "")


def test_confirm_by_two_presses_of_enter(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    page = open_page()
    open_order(page, manager, order)
    page.get_by_role("button", name="Confirm").press("Enter")
    expect(page.get_by_role("dialog").get_by_role("button", name="Confirm")).to_be_focused()
    page.keyboard.press("Enter")
    see(page, f"#{order.pk} confirmed")
    assert stock(sandbox) == {"10": 43}


def test_cancel_without_a_reason_is_not_sent(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    order = order_of(p10=2)
    page = open_page()
    open_order(page, manager, order)
    page.get_by_role("button", name="Cancel…").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the order").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert state(order) == ("PENDING", "")


def test_the_slower_of_two_is_told_and_keeps_the_note(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    order = order_of(p10=2)
    page = open_page()
    open_order(page, manager, order)
    ann = Actor(via=Door.ADMIN, user=staff("manager", username="ann"))
    lifecycle.hold(order.pk, actor=ann, reason=HoldReason.FRAUD)

    page.get_by_role("button", name="Cancel…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").select_option("customer")
    dialog.get_by_label("Note").fill("Rang twice")
    dialog.get_by_role("button", name="Cancel the order").click()

    expect(page.get_by_role("alert")).to_contain_text("ann: Put on hold (suspected fraud)")
    assert state(order) == ("PENDING", "fraud")
    expect(page.get_by_label("Note")).to_have_value("Rang twice")
    page.get_by_role("button", name="Cancel the order").click()
    see(page, f"#{order.pk} cancelled")
    assert state(order) == ("CANCELLED", "")


def test_page_without_a_script_asks_on_pages_of_their_own(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 45, "9": 3})
    order = order_of(p10=2)
    page = open_page(javascript=False)
    open_order(page, manager, order)
    expect(page.get_by_text("Asking the inventory")).to_be_hidden()
    page.get_by_role("link", name="Look at the stock now").click()
    expect(page.get_by_role("row", name="10 needs")).to_contain_text("needs 2 · 45 in stock")
    page.get_by_role("link", name="Back to the order").click()

    page.get_by_role("link", name="Correct").click()
    page.get_by_label("Product, line 2").fill("9")
    page.get_by_label("Quantity, line 2").fill("4")
    page.get_by_label("Price, line 2").fill("2.50")
    page.get_by_label("Remove, line 1").check()
    page.get_by_role("button", name="Save").click()
    see(page, f"#{order.pk} corrected")

    page.get_by_role("link", name="Confirm", exact=True).click()
    expect(page.get_by_text("Takes 4 × 9 from stock.")).to_be_visible()
    page.get_by_role("button", name="Confirm").click()
    see(page, f"#{order.pk}: 4 × 9 short, 3 in stock")


def test_live_stock_appears_and_is_looked_at_again(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 45, "9": 0})
    order = order_of(p10=2, p9=1)
    page = open_page()
    open_order(page, manager, order)
    row = page.get_by_role("row", name="10 needs")
    expect(row).to_contain_text("needs 2 · 45 in stock")
    expect(page.get_by_role("row", name="9 needs")).to_contain_text("none in stock")
    expect(page.get_by_role("status").filter(has_text="Stock as of")).to_be_visible()

    sandbox.store.set_stock({"10": 1})
    again = page.get_by_role("link", name="Look at the stock now")
    again.press("Enter")
    expect(row).to_contain_text("needs 2 · 1 in stock")
    expect(again).to_be_focused()
    sandbox.switches.update({"down": "503"})
    again.click()
    said = page.get_by_text("The inventory service can't be asked right now.")
    expect(said).to_be_visible()
    expect(row).to_contain_text("needs 2")
    expect(row).not_to_contain_text("in stock")


def test_page_is_there_before_a_slow_inventory_answers(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    sandbox.switches.update({"latency_ms": 1200})
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    page = open_page()
    open_order(page, manager, order)
    expect(page.get_by_text("Asking the inventory what is in stock…")).to_be_visible()
    expect(page.get_by_role("button", name="Confirm")).to_be_visible()
    expect(page.get_by_role("row", name="10 needs")).to_contain_text("45 in stock")


def test_live_stock_that_never_arrives_says_so(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    page = open_page()
    page.route("**/stock/*", lambda route: route.abort())
    open_order(page, manager, order_of(p10=2))
    expect(page.get_by_text("The stock could not be asked for. Try again.")).to_be_visible()


def test_manager_corrects_lines_by_keyboard_and_loses_nothing_on_a_fault(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    order = order_of(p10=2, p9=1)
    page = open_page()
    open_order(page, manager, order)
    page.get_by_role("link", name="Correct").press("Enter")

    page.get_by_role("button", name="Remove, line 1").press("Enter")
    expect(page.get_by_label("Product, line 2")).to_be_focused()
    page.get_by_role("button", name="Add a line").press("Enter")
    page.keyboard.type("TEE-M")
    page.keyboard.press("Tab")
    page.keyboard.type("0")
    page.keyboard.press("Tab")
    page.keyboard.type("9.90")
    for _ in range(4):  # more than there are spare rows
        page.get_by_role("button", name="Add a line").click()
    page.get_by_label("E-mail").fill("nobody")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved")
    expect(page.get_by_label("E-mail")).to_have_value("nobody")
    expect(page.get_by_label("Quantity, line 3")).to_have_value("0")
    expect(page.get_by_label("Product, line 1")).to_be_hidden()
    page.get_by_label("E-mail").fill("nobody@example.com")
    page.get_by_label("Quantity, line 3").fill("4")
    page.get_by_role("button", name="Save").click()

    see(page, f"#{order.pk} corrected")
    order.refresh_from_db()
    rows = order.items.order_by("pk").values_list("product_id", "quantity")
    assert (order.email, list(rows)) == ("nobody@example.com", [("9", 1), ("TEE-M", 4)])


def test_pages_fit_every_screen(open_page: OpenPage, manager: User, sandbox: Sandbox) -> None:
    order, stale = a_long_story(sandbox)
    page = open_page()
    sign_in(page, manager)

    page.goto(page_of(order))
    expect(page.get_by_role("status").filter(has_text="Stock as of")).to_be_visible()
    fit(page, "page-held")
    page.get_by_role("button", name="Cancel…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    fit(page, "dialog-cancel", whole=False)
    page.goto(address(order, "amend"))
    fit(page, "amend")
    page.get_by_label("E-mail").fill("nobody")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved")
    fit(page, "amend-fault")
    page.goto(address(order, "release"))
    fit(page, "verb")
    page.goto(page_of(stale))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    fit(page, "dialog-confirm", whole=False)
    lifecycle.hold(stale.pk, actor=OPERATOR, reason=HoldReason.FRAUD)
    page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("alert")).to_be_visible()
    fit(page, "verb-stale")
    page.goto(address(stale, "amend"))
    lifecycle.release(stale.pk, actor=OPERATOR)
    page.get_by_label("City").fill("Shelbyville")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_visible()
    fit(page, "amend-stale")
    lifecycle.confirm(stale.pk, actor=OPERATOR)
    page.goto(page_of(stale))
    fit(page, "page-confirmed")


def a_long_story(sandbox: Sandbox) -> tuple[Order, Order]:
    """Return an order on hold after a failed confirmation and a correction, and a plain one."""
    sandbox.store.set_stock({"10": 45, "9": 1, "MUG-BLUE": 3, "TEE-M": 60})
    order = order_of("24.50", p10=2, p9=2, **{"MUG-BLUE-WITH-A-RATHER-LONG-NAME-42": 1})
    order.items.create(product_id="10", quantity=1, unit_price="19.90")
    ann = Actor(via=Door.ADMIN, user=staff("manager", username="ann"))
    try:
        lifecycle.confirm(order.pk, actor=ann)
    except InsufficientStock:
        order.refresh_from_db()
    lifecycle.hold(order.pk, actor=ann, reason=HoldReason.PAYMENT, note="The bank asks for a form.")
    return order, order_of("24.50", p10=2, **{"TEE-M": 12})
