"""``/track/{id}``: what an order's page says, and what it keeps to itself."""

import re
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Confirmation, Order, OrderItem, OrderNote
from orders.status import HoldReason
from tests.factories import OPERATOR, order, order_of, user
from tests.tracking.visits import happened, in_state, owned, page_of, path, signed_in, text

pytestmark = pytest.mark.django_db

UNSEEN_DETAILS = ("John", "Doe", "john@", "example.com", "123 Main St", "12345")


def headline(page: str) -> str:
    [found] = re.findall(r'<h1 id="headline">(.*?)</h1>', page)
    return str(found)


def happenings(page: str) -> list[str]:
    return re.findall(r'<span class="what">(.*?)</span>', page)


def steps(page: str) -> list[tuple[str, str, bool]]:
    """Return the stations of the order's way: state, name, and whether it is there now."""
    found = re.findall(
        r'<li class="step step-(\w+)"( aria-current="step")?>.*?"step-name">(\w+)<', page, re.S
    )
    return [(state, name, bool(current)) for state, current, name in found]


# --- what it says --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("placed", "said"),
    [
        (("PENDING",), "We have your order"),
        (("PENDING", "settling", "confirmation_requested"), "We are checking the stock"),
        (("PENDING", "review", "confirmation_requested"), "We are checking the stock"),
        (("PENDING", "settling"), "We are checking the stock"),
        (("PENDING", "short"), "Something is out of stock just now"),
        (
            ("PENDING", "settling", "confirmation_requested", "cancellation_requested"),
            "We are cancelling your order",
        ),
        (("CONFIRMED",), "Your order is confirmed"),
        (("COMPLETED",), "Your order is complete"),
        (("CANCELLED",), "This order was cancelled"),
        (("CANCELLED", "settling", "cancelled"), "This order was cancelled"),
        (("CANCELLED", "review", "cancelled"), "This order was cancelled"),
    ],
)
def test_page_says_how_the_order_stands(placed: tuple[str, ...], said: str) -> None:
    page = page_of(in_state(*placed))
    assert headline(page) == said
    assert f"<title>{said} · Order " in page


@pytest.mark.parametrize(
    ("placed", "way"),
    [
        (
            ("PENDING",),
            [
                ("done", "Received", True),
                ("next", "Confirmed", False),
                ("ahead", "Completed", False),
            ],
        ),
        (
            ("CONFIRMED", "clear", "confirmed"),
            [
                ("done", "Received", False),
                ("done", "Confirmed", True),
                ("next", "Completed", False),
            ],
        ),
        (
            ("COMPLETED", "clear", "confirmed", "completed"),
            [
                ("done", "Received", False),
                ("done", "Confirmed", False),
                ("done", "Completed", True),
            ],
        ),
        (
            ("CANCELLED", "clear", "cancelled"),
            [("done", "Received", False), ("stopped", "Cancelled", True)],
        ),
        (
            ("CANCELLED", "clear", "confirmed", "cancelled", "restocked"),
            [
                ("done", "Received", False),
                ("done", "Confirmed", False),
                ("stopped", "Cancelled", True),
            ],
        ),
    ],
)
def test_page_shows_how_far_the_order_is(placed: tuple[str, ...], way: list[Any]) -> None:
    assert steps(page_of(in_state(*placed))) == way


@pytest.mark.parametrize(("status", "is_final"), [("COMPLETED", True), ("CONFIRMED", False)])
def test_page_says_when_nothing_will_change_any_more(status: str, is_final: bool) -> None:
    assert (" data-final" in page_of(in_state(status))) is is_final


def test_timeline_has_what_concerns_a_customer_the_latest_first() -> None:
    kinds = ["held", "released", "amended", "confirmation_requested", "confirmation_failed"]
    kinds += ["confirmation_requested", "review_needed", "review_resolved", "confirmed"]
    kinds += ["cancellation_requested", "cancelled", "restocked"]
    assert happenings(page_of(in_state("CANCELLED", "clear", *kinds))) == [
        "Your order was cancelled",
        "We confirmed your order",
        "We corrected your order",
        "We received your order",
    ]


def test_page_shows_lines_with_prices_and_the_total() -> None:
    placed = order(total="4250000.50")
    for product_id, quantity, price in (("10", 2, "0.25"), ("SKU-7", 1000, "4250.00")):
        OrderItem.objects.create(
            order=placed, product_id=product_id, quantity=quantity, unit_price=price
        )
    page = page_of(placed)
    for shown in ("<bdi>10</bdi>", "2 × 0.25", ">0.50<", "<bdi>SKU-7</bdi>", "1000 × 4,250.00"):
        assert shown in page
    assert '4,250,000.50 <span class="currency">USD</span>' in page


def test_page_marks_what_is_short_without_saying_how_much_there_is() -> None:
    placed = in_state("PENDING", "short")
    OrderItem.objects.create(order=placed, product_id="9", quantity=1, unit_price="1.00")
    Confirmation.objects.create(
        order=placed,
        state="rejected",
        actor="user:1",
        via="api",
        failure="insufficient_stock",
        shortages=[{"product_id": "10", "requested": 2, "available": 987654}],
    )
    page = page_of(placed)
    assert page.count("out of stock just now</span>") == 1
    assert "987654" not in page
    Order.objects.filter(pk=placed.pk).update(status="CONFIRMED", stock_state="clear")
    assert "out of stock" not in page_of(placed)


def test_times_are_told_in_words_and_for_machines() -> None:
    placed = order_of(p10=1)
    Order.objects.filter(pk=placed.pk).update(created_at="2026-11-22T10:05:00Z")
    page = page_of(placed)
    assert '<time datetime="2026-11-22T10:05:00+00:00">22 November 2026, 10:05 UTC</time>' in page


def test_page_is_in_the_shop_s_name(settings: Settings) -> None:
    settings.SHOP_NAME = "<b>Fern & Oak</b>"
    page = page_of(order_of(p10=1))
    assert "&lt;b&gt;Fern &amp; Oak&lt;/b&gt;" in page
    assert "<b>" not in page


# --- what it keeps to itself ---------------------------------------------------------------------


def test_page_hides_who_and_where_from_everybody() -> None:
    who = user(email="someone@else.example")
    placed = owned(who)
    for client in (signed_in(who), signed_in(user(is_superuser=True, is_staff=True))):
        page = text(client.get(path(placed)))
        assert "j•••@e•••.com" in page
        assert "••• <bdi>Springfield</bdi>" in page
        assert [each for each in UNSEEN_DETAILS if each in page] == []
        assert str(placed.public_id) not in page


def test_page_shows_nothing_internal(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 5})
    placed = order_of("24.50", p10=2)
    lifecycle.hold(placed.pk, actor=OPERATOR, reason=HoldReason.FRAUD, note="a canary of a note")
    OrderNote.objects.create(order=placed, author=user(username="morgan"), text="canary")
    happened(placed, "cancelled", data={"reason": "fraud"}, actor="user:77")
    page = page_of(placed)
    assert headline(page) == "We have your order"
    for internal in ("canary", "morgan", "fraud", "hold", "user:", "system", "admin", "reason"):
        assert internal not in page.lower(), internal


@pytest.mark.parametrize("script", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_markup_in_what_is_shown_is_escaped(script: str) -> None:
    who = user(username=script, email="a@example.com")
    placed = order(owner=who, full_name=script, city=script.replace("1", ""), address=script)
    OrderItem.objects.create(order=placed, product_id=script, quantity=1, unit_price="1.00")
    page = text(signed_in(who).get(path(placed)))
    assert "alert(1)" in page
    assert page.count("<script") == 1
    assert "<img src=x" not in page
