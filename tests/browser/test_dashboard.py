"""The dashboard in a browser: it opens at once, asks the inventory afterwards, fits any screen."""

import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import expect

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Confirmation, Order, User
from tests.admin.desk import in_review
from tests.browser.conftest import OpenPage, sign_in
from tests.factories import OPERATOR, order, order_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),  # one process, so one Chromium at a time
    pytest.mark.usefixtures("committed_db"),
]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("light", 1440, "light"),
        ("dark", 1440, "dark"),
        ("phone", 390, "light"),
        ("phone-dark", 390, "dark"),
    ],
)
def test_dashboard_fits_the_screen(
    open_page: OpenPage, manager: User, sandbox: Sandbox, name: str, width: int, scheme: str
) -> None:
    """It does not scroll sideways; with SCREENSHOTS=folder its pictures are kept there."""
    a_month(sandbox)
    page = open_page(width=width, height=1080, scheme=scheme)
    sign_in(page, manager)
    page.goto("/admin/")
    expect(page.get_by_text("Answered in")).to_be_visible()
    page.evaluate("document.fonts.ready")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"dashboard-{name}.png", full_page=True)


def a_month(sandbox: Sandbox) -> None:
    """Make a month of orders, with a few that wait for something, and one in review."""
    now = timezone.now()
    placed = []
    for back in range(30):
        busy = 9 + (back * 7) % 11 - (5 if (now - timedelta(days=back)).weekday() > 4 else 0)
        for nth in range(busy):
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
    in_review(sandbox)
    sandbox.store.set_stock({"9": 50, "7": 1})
    for _ in range(6):
        lifecycle.confirm(order_of(p9=2).pk, actor=OPERATOR, hold=5)
    for _ in range(3):
        lifecycle.confirm_many([order_of(p7=4).pk], actor=OPERATOR)
        while lifecycle.advance_due():
            pass
    Confirmation.objects.bulk_create(
        Confirmation(
            order=each, state="rejected", failure=failure, settled_at=now, actor="system", via="api"
        )
        for failure, number in (("inventory_unavailable", 5), ("inventory_refused", 2))
        for each in placed[:number]
    )
    assert Order.objects.filter(stock_state="short").exists()
