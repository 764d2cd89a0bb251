"""The order list, by keyboard and on a phone: search, filters, saved filters, pages and jumps."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from orders.admin.listing import OrderListAdmin
from orders.models import Order, SavedFilter, User
from tests.browser import looks
from tests.browser.conftest import OpenPage, sign_in
from tests.factories import order

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.usefixtures("committed_db"),
]


@pytest.fixture(autouse=True)
def pages_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OrderListAdmin, "list_per_page", 3)


def expect_orders(page: Page, numbers: list[int]) -> None:
    """Wait until the list shows exactly these orders."""
    shown = page.locator("#result_list .field-called a")
    expect(shown).to_have_text([f"#{number}" for number in numbers])


def test_slash_leads_to_the_search_and_a_chip_leads_out(open_page: OpenPage, manager: User) -> None:
    order()
    ann = order(full_name="Ann Lee")
    page = open_page()
    sign_in(page, manager)
    page.keyboard.press("/")
    expect(page.locator("#searchbar")).to_be_focused()
    page.keyboard.type("ann l")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=ann+l")
    expect_orders(page, [ann.pk])
    expect(page.get_by_text("1 order matches")).to_be_visible()
    page.get_by_role("link", name="Remove the filter Search: ann l").press("Enter")
    expect(page.get_by_text("2 orders", exact=True)).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_filter_is_set_saved_used_and_deleted(
    open_page: OpenPage, manager: User, javascript: bool
) -> None:
    cheap, dear = order(total=5), order(total=50)
    page = open_page(javascript=javascript)
    sign_in(page, manager)
    page.locator("summary", has_text="Filters").first.press("Enter")
    page.get_by_label("Total from").fill("10")
    page.get_by_label("Status").select_option("Pending")
    page.get_by_role("button", name="Apply").press("Enter")
    expect(page.get_by_text("Total from: 10")).to_be_visible()
    expect_orders(page, [dear.pk])

    page.locator("summary", has_text="Saved filters").press("Enter")
    page.get_by_label("Save this filter as").fill("dear ones")
    page.get_by_label("for everybody").check()
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    expect(page.get_by_text("Saved as “dear ones”")).to_be_visible()
    assert SavedFilter.objects.get().shared

    page.get_by_role("link", name="Clear all").press("Enter")
    expect_orders(page, [dear.pk, cheap.pk])
    page.locator("summary", has_text="Saved filters").press("Enter")
    page.get_by_role("link", name="dear ones").press("Enter")
    expect(page.get_by_text("1 order matches")).to_be_visible()
    page.locator("summary", has_text="Saved filters").press("Enter")
    page.get_by_role("button", name="Delete the filter dear ones").press("Enter")
    expect(page.get_by_text("Deleted “dear ones”")).to_be_visible()
    assert not SavedFilter.objects.exists()


def test_filter_at_fault_is_told_at_its_field(open_page: OpenPage, manager: User) -> None:
    order()
    page = open_page()
    sign_in(page, manager)
    page.goto("/admin/orders/order/?total__gte=ten")
    expect(page.get_by_role("alert")).to_contain_text("Total from: is no amount")
    expect(page.locator(".orders-filters .orders-fault")).to_have_text("is no amount")
    expect(page.get_by_role("heading", name="Nothing was looked for")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_pages_are_walked_and_jumped_to(open_page: OpenPage, manager: User, width: int) -> None:
    every = [order().pk for _ in range(8)][::-1]
    for days, number in enumerate(every):
        at = timezone.now() - timedelta(days=days)
        Order.objects.filter(pk=number).update(created_at=at)
    page = open_page(width=width)
    sign_in(page, manager)
    for name, shown in (
        ("Older", every[3:6]),
        ("Older", every[6:]),
        ("Newer", every[3:6]),
        ("Oldest", every[5:]),
        ("Newest", every[:3]),
    ):
        page.get_by_role("link", name=name, exact=True).press("Enter")
        expect_orders(page, shown)
    day = (timezone.now() - timedelta(days=4)).date()
    page.get_by_label("Go to day").fill(day.isoformat())
    page.get_by_role("button", name="Go", exact=True).press("Enter")
    page.wait_for_url("**day=**")
    expect_orders(page, every[4:7])
    page.get_by_label("or number").fill(str(every[2]))
    page.get_by_role("button", name="Go", exact=True).press("Enter")
    page.wait_for_url(f"**number={every[2]}")
    expect_orders(page, every[2:5])
    assert looks.width(page) <= width
