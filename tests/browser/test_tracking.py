"""Customers follow their order: on any screen, by keyboard, without JavaScript, and by itself."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Confirmation, Order, OrderItem
from orders.signin import resets
from orders.status import CancelReason
from tests.browser.conftest import OpenPage
from tests.browser.looks import look
from tests.factories import OPERATOR, order, order_of
from tests.signin.mailboxes import link_in
from tests.signin.people import PASSWORD, customer
from tests.tracking.visits import happened, owned, path

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),  # one process, so one Chromium at a time
    pytest.mark.usefixtures("committed_db"),
]


@pytest.fixture(autouse=True)
def _shop(settings: Settings) -> None:
    settings.SHOP_NAME = "Fern & Oak"
    settings.SENDS_MAIL = True


def placed_order(last: str = "LAMP-OAK", total: str = "171.50") -> Order:
    """Return an order that has just been placed."""
    placed = order(total=total)
    for product_id, quantity, price in (("9", 2, "24.50"), ("8", 1, "98.00"), (last, 1, "24.50")):
        OrderItem.objects.create(
            order=placed, product_id=product_id, quantity=quantity, unit_price=price
        )
    happened(placed, "placed")
    return placed


def orders_in_each_state(sandbox: Sandbox) -> dict[str, Order]:
    """Return orders that customers may look at, by how they stand."""
    sandbox.store.set_stock({"9": 40, "8": 40})
    found = {name: order_of("24.50", p9=2, p8=1) for name in ("confirmed", "completed")}
    found["cancelled"] = order_of("24.50", p9=2, p8=1)
    for each in found.values():
        lifecycle.confirm(each.pk, actor=OPERATOR, hold=5)
    lifecycle.complete(found["completed"].pk, actor=OPERATOR)
    lifecycle.cancel(found["cancelled"].pk, actor=OPERATOR, reason=CancelReason.CUSTOMER, hold=5)
    found["received"] = placed_order("LAMP-OAK-" + "X" * 91, "9999999999999999.99")
    found["checking"], found["short"] = placed_order(), placed_order()
    Order.objects.filter(pk=found["checking"].pk).update(stock_state="settling")
    Order.objects.filter(pk=found["short"].pk).update(stock_state="short")
    Confirmation.objects.create(
        order=found["short"],
        state="rejected",
        actor="system",
        via="api",
        failure="insufficient_stock",
        shortages=[{"product_id": "9", "requested": 2, "available": 0}],
    )
    return found


def test_pages_fit_every_screen_and_are_accessible(open_page: OpenPage, sandbox: Sandbox) -> None:
    who = customer(username="kim@example.com")
    pages = {title: path(each) for title, each in orders_in_each_state(sandbox).items()} | {
        "absent": "/track/no-id",
        "sign-in": "/track/sign-in",
        "sign-out": "/track/sign-out",
        "forgotten": "/track/forgotten",
        "reset-asked": "/track/forgotten/asked",
        "reset-ended": "/track/reset/x/y",
        "reset-done": "/track/reset/done",
    }
    page = open_page()

    for title, where in pages.items():
        page.goto(where)
        look(page, f"track-{title}")
    page.goto(link_in(resets.letter(who)))
    look(page, "track-reset")
    for label in ("New password", "New password, again"):
        page.get_by_label(label, exact=True).fill("12345678")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    look(page, "track-reset-refused")
    page.goto("/track/sign-in")
    give_password(page, who.username, "wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    look(page, "track-wrong-password")
    give_password(page, who.username)
    expect(page.get_by_role("heading", name="You are signed in")).to_be_visible()
    look(page, "track-signed-in")
    page.goto(pages["confirmed"])
    look(page, "track-confirmed-signed-in")
    for _ in range(10):
        page.goto("/track/sign-in")
        give_password(page, who.username, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("too many wrong attempts")
    look(page, "track-locked-out")


def give_password(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("E-mail or username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def wait_for_headline(page: Page, words: str) -> None:
    """Let the page's clock run until it says so; it sets its timer when it has been answered."""
    headline = page.get_by_role("heading", level=1)
    for _ in range(10):
        page.clock.run_for(16_000)
        with suppress(AssertionError):
            expect(headline).to_have_text(words, timeout=500)
            return
    expect(headline).to_have_text(words)


def test_page_shows_a_confirmation_by_itself(open_page: OpenPage, sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"9": 40})
    placed = order_of("24.50", p9=2)
    page = open_page()
    page.clock.install()
    page.goto(path(placed))
    expect(page.get_by_role("heading", level=1)).to_have_text("We have your order")
    expect(page.get_by_text("keeps itself up to date")).to_be_visible()
    page.get_by_role("link", name="Look again").focus()

    with page.expect_response(f"**{path(placed)}"):
        page.clock.run_for(16_000)  # nothing has changed, and nothing is said
    expect(page.get_by_role("status")).to_be_empty()
    lifecycle.confirm(placed.pk, actor=OPERATOR, hold=5)

    wait_for_headline(page, "Your order is confirmed")
    expect(page.get_by_role("status")).to_contain_text("Your order is confirmed")
    expect(page.get_by_role("link", name="Look again")).to_be_focused()
    assert page.title().startswith("Your order is confirmed")


def test_page_stops_asking_when_the_order_is_complete(
    open_page: OpenPage, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"9": 40})
    placed = order_of("24.50", p9=2)
    lifecycle.confirm(placed.pk, actor=OPERATOR, hold=5)
    page = open_page()
    page.clock.install()
    page.goto(path(placed))
    lifecycle.complete(placed.pk, actor=OPERATOR)
    page.clock.run_for(16_000)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your order is complete")

    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(600_000)
    assert asked == []
    expect(page.get_by_text("keeps itself up to date")).to_be_hidden()


def test_page_goes_on_after_failures_ever_more_slowly(open_page: OpenPage) -> None:
    page = open_page()
    page.clock.install()
    page.goto(path(order_of(p9=1)))
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=503)

    page.route("**/track/*", refuse)
    note = page.locator("#refresh")
    for times, pause in enumerate((15, 30, 60, 120)):
        note.evaluate("note => note.replaceChildren()")
        page.clock.run_for(pause * 600)  # milliseconds; and the clock goes on by itself, too
        assert len(asked) == times
        page.clock.run_for(pause * 400)  # no longer: the page gives a call up after 10 s of them
        expect(note).to_contain_text("goes on trying")  # and the next pause has begun
        assert len(asked) == times + 1
    page.unroute("**/track/*")
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("keeps itself up to date")).to_be_visible()


def test_page_that_is_not_ones_own_any_more_stops(open_page: OpenPage) -> None:
    who = customer()
    placed = owned(who)
    page = open_page()
    page.clock.install()
    page.goto(f"{path(placed)}?sign-in")
    give_password(page, who.username)
    expect(page.get_by_role("heading", level=1)).to_have_text("We have your order")
    expect(page.get_by_text("keeps itself up to date")).to_be_visible()  # its clock runs
    page.context.clear_cookies()
    page.clock.run_for(16_000)
    expect(page.get_by_text("Load it again to see why")).to_be_visible()
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_page_tells_the_time_where_its_reader_is(open_page: OpenPage) -> None:
    placed = order_of(p9=1)
    Order.objects.filter(pk=placed.pk).update(created_at="2026-11-22T10:05:00Z")
    page = open_page(javascript=False)
    page.goto(path(placed))
    expect(page.locator(".happenings time")).to_have_text("22 November 2026, 10:05 UTC")
    page = open_page(timezone="Asia/Tokyo")
    page.goto(path(placed))
    expect(page.locator(".happenings time")).to_have_text("22 November 2026 at 19:05 GMT+9")


def test_owner_signs_in_and_out_by_keyboard_without_javascript(open_page: OpenPage) -> None:
    who = customer()
    placed = owned(who)
    page = open_page(javascript=False)
    page.goto(path(placed))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Sign in")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("E-mail or username")).to_be_focused()
    page.keyboard.type(who.username)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("We have your order")
    assert page.url.endswith(path(placed))

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Sign out")).to_be_focused()
    page.keyboard.press("Tab")
    again = page.get_by_role("link", name="Look again")
    expect(again).to_be_focused()
    assert again.evaluate("link => parseFloat(getComputedStyle(link).outlineWidth)") >= 2
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("We have your order")
    page.get_by_role("link", name="Sign out").press("Enter")
    page.get_by_role("button", name="Sign out").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.goto(path(placed))
    expect(page.get_by_role("heading", level=1)).to_contain_text("no order here")


def test_page_prints_without_its_buttons(open_page: OpenPage) -> None:
    page = open_page()
    page.goto(path(placed_order()))
    page.emulate_media(media="print")
    expect(page.get_by_role("link", name="Look again")).to_be_hidden()
    expect(page.get_by_text("171.50")).to_be_visible()
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "track-print.png", full_page=True)
