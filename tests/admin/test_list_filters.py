"""What the order list is narrowed to, and that an address at fault reaches no order."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.test import Client

from orders.models import Order
from tests.admin.conftest import SignIn
from tests.admin.pages import LIST, act, told
from tests.factories import order, order_of

pytestmark = pytest.mark.django_db


def found(client: Client, query: str) -> str:
    """Return the names of the orders that an address lists, in alphabetical order."""
    answer = client.get(f"{LIST}?{query}")
    assert answer.status_code == 200
    return "".join(sorted(each.full_name for each in answer.context["cl"].result_list))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("status__exact=CONFIRMED", "b"),
        ("stock_state__exact=short", "c"),
        ("held_since__isnull=False", "a"),
        ("held_since__isnull=True", "bc"),
        ("created_at__gte=2026-02-01", "bc"),
        ("created_at__gte=2026-02-01T12:00:01Z", "c"),
        ("created_at__lte=2026-02-01", "ab"),
        ("created_at__lte=2026-02-01T12:00:00Z", "ab"),
        ("created_at__lt=2026-02-01T12:00:00%2B00:00", "a"),
        ("created_at__lt=2026-02-01 12:00:00%2B00:00", "a"),
        ("created_at__lte=2026-03-01&created_at__lt=2026-02-01", "a"),
        ("total__gte=20", "bc"),
        ("total__lte=20.00", "ab"),
        ("total__gte=20&total__lte=20", "b"),
        ("city=lyon", "a"),
        ("city=lyo", ""),
        ("product=X7", "ac"),
        ("product=x7", ""),
        ("product=X7&status__exact=PENDING&city=Paris", "c"),
        ("q=X7&total__gte=20", "c"),
        ("q=+&status__exact=", "abc"),
    ],
)
def test_list_with_a_filter_shows(sign_in: SignIn, query: str, names: str) -> None:
    a = order(full_name="a", city="Lyon", hold_reason="payment", held_since=datetime.now(UTC))
    b = order(full_name="b", city="Paris", status="CONFIRMED")
    c = order(full_name="c", city="Paris", stock_state="short")
    for month, each in enumerate([a, b, c], start=1):
        product = "10" if each is b else "X7"
        each.items.create(product_id=product, quantity=1, unit_price=10 * month)
        at = datetime(2026, month, 1, 12, tzinfo=UTC)
        Order.objects.filter(pk=each.pk).update(total=Decimal(10 * month), created_at=at)
    assert found(sign_in("viewer"), query) == names


FAULTS = [
    ("status__exact=pending", "Status: Select a valid choice"),
    ("stock_state__exact=x", "Stock: Select a valid choice"),
    ("held_since__isnull=maybe", "Hold: Select a valid choice"),
    ("created_at__gte=yesterday", "Placed from: is no date"),
    ("created_at__lte=2026-02-30", "Placed until: is no date"),
    ("created_at__lt=9999-12-31", "Placed before: is no date"),
    ("total__gte=x", "Total from: is no amount"),
    ("total__gte=NaN", "Total from: is no amount"),
    ("total__lte=1e400", "Total to:"),
    ("total__lte=-1", "Total to:"),
    ("city=" + "x" * 101, "City: Ensure this value has at most 100 characters"),
    ("product=%00", "Product, exactly: Null characters are not allowed"),
    ("q=%00", "Search: Null characters are not allowed"),
    ("colour=red", "colour: no such filter"),
    ("owner__password__startswith=a", "owner__password__startswith: no such filter"),
    ("status__exact=PENDING&created_at__year=x", "created_at__year: no such filter"),
]


@pytest.mark.parametrize(("query", "said"), FAULTS)
def test_list_with_a_fault_says_it_and_shows_no_order(
    sign_in: SignIn, query: str, said: str
) -> None:
    order()
    answer = sign_in("viewer").get(f"{LIST}?{query}")
    assert answer.status_code == 200
    assert list(answer.context["cl"].result_list) == []
    assert said in answer.content.decode()


@pytest.mark.parametrize("query", ["status__exact=pending", "colour=red", "total__gte=x"])
def test_action_on_all_that_a_faulty_address_matches_reaches_no_order(
    sign_in: SignIn, query: str
) -> None:
    placed = order_of(p10=1)
    fields = {"action": "cancel", "index": 0, "select_across": 1, "_selected_action": [placed.pk]}
    sign_in("manager").post(f"{LIST}?{query}", fields)
    placed.refresh_from_db()
    assert placed.status == "PENDING"


def test_action_on_a_selection_keeps_to_the_filter(sign_in: SignIn) -> None:
    confirmed, pending = order(status="CONFIRMED"), order()
    client = sign_in("manager")
    answer = client.post(
        f"{LIST}?status__exact=CONFIRMED&q=doe",
        {"action": "complete", "index": 0, "_selected_action": [confirmed.pk, pending.pk]},
    )
    assert told(answer) == [("success", f"#{confirmed.pk} completed")]


def test_action_after_a_search_reaches_what_it_names(sign_in: SignIn) -> None:
    confirmed = order(status="CONFIRMED")
    assert told(act(sign_in("manager"), "complete", confirmed)) == [
        ("success", f"#{confirmed.pk} completed")
    ]


def test_filters_in_use_can_be_removed_one_by_one(sign_in: SignIn) -> None:
    changelist = sign_in("viewer").get(f"{LIST}?q=doe&city=Lyon&below=5").context["cl"]
    assert changelist.chips == [
        {"text": "City: Lyon", "link": "?q=doe"},
        {"text": "Search: doe", "link": "?city=Lyon"},
    ]


def test_tabs_count_each_queue_and_mark_the_one_that_is_shown(sign_in: SignIn) -> None:
    order()
    order(status="COMPLETED")
    order(stock_state="review")
    order(hold_reason="payment", held_since=datetime.now(UTC))
    changelist = sign_in("viewer").get(f"{LIST}?status__exact=PENDING&city=X").context["cl"]
    assert [(tab.title, tab.length) for tab in changelist.tabs] == [
        ("All", "4"),
        ("Pending", "3"),
        ("Confirmed", "0"),
        ("Completed", "1"),
        ("Cancelled", "0"),
        ("Needs review", "1"),
        ("Short", "0"),
        ("Settling", "0"),
        ("On hold", "1"),
    ]
    assert [tab.title for tab in changelist.tabs if tab.active] == ["Pending"]


def test_list_escapes_what_its_address_says(sign_in: SignIn) -> None:
    attack = "<script>alert(1)</script>"
    body = sign_in("viewer").get(LIST, {"q": attack, "day": attack, attack: "1"}).content
    assert b"<script>alert" not in body
    assert b"&lt;script&gt;alert(1)&lt;/script&gt;" in body
