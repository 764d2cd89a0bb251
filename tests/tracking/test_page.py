"""``/track/{id}``: what an order's page says, what it keeps to itself, and how it is sent."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle, queries
from orders.models import Confirmation, Order, OrderItem, OrderNote
from orders.status import HoldReason
from tests.factories import OPERATOR, order, order_of, user
from tests.tracking.visits import happened, owned, path, signed_in, text

pytestmark = pytest.mark.django_db

UNSEEN_DETAILS = ("John", "Doe", "john@", "example.com", "123 Main St", "12345")


def page_of(placed: Order) -> str:
    """Return an order's page as a guest gets it."""
    answer = Client().get(path(placed))
    assert answer.status_code == 200
    return text(answer)


def in_state(status: str, stock: str = "clear", *kinds: str) -> Order:
    """Return an order that has come so far, with events of these kinds."""
    placed = order_of("24.50", p10=2)
    for kind in ("placed", *kinds):
        happened(placed, kind)
    Order.objects.filter(pk=placed.pk).update(status=status, stock_state=stock)
    return placed


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
        shortages=[{"product_id": "10", "requested": 2, "available": 77}],
    )
    page = page_of(placed)
    assert page.count("out of stock just now</span>") == 1
    assert "77" not in page
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


# --- how it is sent ------------------------------------------------------------------------------


@pytest.mark.parametrize("found", [True, False])
def test_page_comes_with_its_headers(found: bool) -> None:
    placed = order_of(p10=1) if found else owned()
    answer = Client().get(path(placed))
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Vary"] == "Cookie"
    assert sorted(answer.headers["Content-Security-Policy"].split("; ")) == [
        "base-uri 'none'",
        "connect-src 'self'",
        "default-src 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "img-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
    ]
    assert '<meta name="robots" content="noindex">' in text(answer)
    assert answer.cookies.output() == ""


def test_page_that_the_browser_has_is_304_until_the_order_changes() -> None:
    placed = in_state("PENDING")
    first = Client().get(path(placed))
    known = {"If-None-Match": first.headers["ETag"]}
    again = Client().get(path(placed), headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["Referrer-Policy"] == "no-referrer"
    assert again.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]
    Order.objects.filter(pk=placed.pk).update(status="CONFIRMED")
    assert Client().get(path(placed), headers=known).status_code == 200


def test_page_of_another_viewer_has_another_tag() -> None:
    placed = order_of(p10=1)
    known = {"If-None-Match": Client().get(path(placed)).headers["ETag"]}
    assert signed_in(user()).get(path(placed), headers=known).status_code == 200


def test_head_is_answered_without_a_body() -> None:
    assert (
        Client().head(path(order_of(p10=1))).status_code,
        Client().head("/track/x").content,
    ) == (
        200,
        b"",
    )


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_page_with_another_method_is_refused(method: str) -> None:
    client = Client(enforce_csrf_checks=True)
    for where in (path(order_of(p10=1)), path(owned()), "/track/no-id", "/track"):
        answer = client.generic(method, where)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_page_takes_four_statements(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    placed = order_of(p1=2, p2=2, p3=2)
    for kind in ("placed", "confirmed", "completed"):
        happened(placed, kind)
    with django_assert_num_queries(4):
        page_of(placed)


def test_page_of_an_owner_takes_five_more(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    who = user()
    placed, client = owned(who), signed_in(who)
    client.get(path(placed))
    with django_assert_num_queries(9):  # session, user, is a factor set, and two for permissions
        client.get(path(placed))


def test_what_is_no_id_takes_no_statement(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(0):
        Client().get("/track/no-id")


def down(*args: object) -> None:
    """Fail as a database does that is away."""
    raise OperationalError('connection to server at "10.0.0.1" failed')


@pytest.mark.parametrize(
    "visit",
    [
        lambda placed: Client().get(path(placed)),
        lambda placed: Client().post("/track/sign-in", {"username": "a", "password": "b"}),
    ],
    ids=["page", "sign-in"],
)
def test_page_without_a_database_is_503_in_the_shop_s_look(visit: Callable[[Order], Any]) -> None:
    placed = order_of(p10=1)
    with connection.execute_wrapper(down):
        answer = visit(placed)
    unavailable(answer)


def test_session_that_can_not_be_read_is_503_in_the_shop_s_look() -> None:
    placed = order_of(p10=1)
    client = signed_in(user())
    client.raise_request_exception = False
    with connection.execute_wrapper(down):
        answer = client.get(path(placed))
    unavailable(answer)


def unavailable(answer: Any) -> None:
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "look your order up just now" in text(answer)
    assert "orders/tracking.css" in text(answer)
    assert "style-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "10.0.0.1" not in text(answer)


@pytest.mark.parametrize(
    ("failure", "status"), [(RuntimeError("a secret"), 500), (InterfaceError("a secret"), 503)]
)
def test_page_that_fails_tells_nothing(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, status: int
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise failure

    monkeypatch.setattr(queries, "find", fail)
    answer = Client(raise_request_exception=False).get(path(order_of(p10=1)))
    assert answer.status_code == status
    assert "secret" not in text(answer)
    assert "orders/tracking.css" in text(answer)


def test_failure_elsewhere_is_answered_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("orders.admin.navigation.sidebar", fail)
    client = signed_in(user(is_staff=True, is_superuser=True))
    client.raise_request_exception = False
    answer = client.get("/admin/orders/order/")
    assert answer.status_code == 500
    assert "tracking.css" not in text(answer)
