"""The dashboard in a browser: it opens at once, asks the inventory afterwards, fits any screen."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone
from playwright.sync_api import expect

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Confirmation, Order, OrderEvent, User
from tests.admin.desk import in_review
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.looks import fit
from tests.factories import OPERATOR, order, order_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),  # one process, so one Chromium at a time
    pytest.mark.usefixtures("committed_db"),
]


def test_dashboard_asks_the_inventory_afterwards_and_fits_every_screen(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    a_month(sandbox, manager)
    page = open_page()
    sign_in(page, manager)
    page.goto("/admin/")
    expect(page.get_by_text("Answered in")).to_be_visible()
    fit(page, "dashboard-of-a-month")


def test_dashboard_leads_from_a_number_to_its_list_by_keyboard(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    short = order(stock_state="short")
    order()
    page = open_page()
    sign_in(page, manager)
    page.goto("/admin/")
    page.get_by_role("link", name="Short 1 too little in stock").press("Enter")
    expect(page.get_by_role("link", name=f"#{short.pk}")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(2)  # its head among them


def test_dashboard_without_javascript_leads_to_the_inventory(
    open_page: OpenPage, manager: User, sandbox: Sandbox
) -> None:
    page = open_page(javascript=False)
    sign_in(page, manager)
    page.goto("/admin/")
    page.get_by_role("link", name="Ask it now").click()
    expect(page.get_by_role("status")).to_contain_text("Answered in")


def a_month(sandbox: Sandbox, manager: User) -> None:
    """Make a month of orders, with a few that wait for something, and one in review."""
    now = timezone.now()
    placed = []
    for back in range(30):
        weekend = (now - timedelta(days=back)).weekday() > 4
        for nth in range(9 + (back * 7) % 11 - 5 * weekend):
            placed.append(
                order(
                    status="CANCELLED" if nth % 7 == 5 else "COMPLETED",
                    created_at=now - timedelta(days=back, minutes=nth),
                    total=Decimal(19 + (nth * 37 + back * 11) % 90),
                )
            )
    for hours in (2, 5, 30, 50):
        order(created_at=now - timedelta(hours=hours), total=Decimal(40))
    order(status="CONFIRMED", created_at=now - timedelta(hours=28), total=Decimal(75))
    order(stock_state="settling", stock_since=now - timedelta(minutes=1))
    held = order(hold_reason="payment", held_since=now - timedelta(hours=3))
    in_review(sandbox)
    sandbox.store.set_stock({"9": 50, "7": 1})
    for _ in range(12):
        lifecycle.confirm(order_of(p9=2).pk, actor=OPERATOR, hold=5)
    lifecycle.confirm_many([order_of(p7=4).pk, order_of(p7=2).pk], actor=OPERATOR)
    while lifecycle.advance_due():
        pass
    assert Order.objects.filter(stock_state="short").count() == 2
    reasons = ["insufficient_stock"] * 9 + ["inventory_unavailable"] * 5 + ["inventory_refused"]
    for nth, (each, failure) in enumerate(zip(placed, reasons, strict=False)):
        Confirmation.objects.create(
            order=each,
            state="rejected",
            failure=failure,
            settled_at=now - timedelta(days=(nth * nth) % 7),
            actor="system",
            via="api",
        )
    me = f"user:{manager.pk}"
    happened = [("placed", "guest"), ("held", me), ("completed", me), ("placed", "guest")]
    happened += [("confirmation_failed", "system"), ("cancelled", me), ("placed", "guest")]
    for nth, (kind, who) in enumerate(happened):
        at = now - timedelta(minutes=7 * (7 - nth))
        OrderEvent.objects.create(
            order=held if kind == "held" else placed[nth], kind=kind, actor=who, via="admin", at=at
        )
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
