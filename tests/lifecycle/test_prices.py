"""Placing an order whose prices are compared with the catalogue's, and correcting one."""

import threading
import time
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle, outgoing, prices
from orders.actor import Actor
from orders.errors import (
    CatalogueUnavailable,
    InsufficientStock,
    PriceChange,
    PriceChanged,
)
from orders.lifecycle import Amendment, Item
from orders.models import Order
from orders.status import Door
from tests.factories import actor, order_of
from tests.lifecycle.test_place import GUEST, draft

pytestmark = pytest.mark.usefixtures("committed_db")

FIFTY = Decimal("50.00")


@pytest.fixture(autouse=True)
def stocked(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({str(number): 1000 for number in range(1, 101)})


def place(*items: Item, by: Actor = GUEST) -> Order:
    return Order.objects.get(pk=lifecycle.place(draft(*items), actor=by).number)


def mark_of(order: Order) -> str:
    order.refresh_from_db()
    return order.price_source


@pytest.mark.parametrize("price", [50, 50.0, "50", "50.00", "50.000"])
def test_place_at_the_catalogue_s_price_says_so(catalogue: Sandbox, price: object) -> None:
    catalogue.store.set_prices({"10": price})
    assert mark_of(place(Item("10", 2, FIFTY))) == "catalogue"
    assert catalogue.calls() == {"price": 1}


def test_place_without_a_catalogue_says_prices_as_sent_and_starts_nothing() -> None:
    prices.client.cache_clear()
    before = set(threading.enumerate())
    assert mark_of(place(Item("10", 2, Decimal("0.01")))) == "sent"
    assert prices.client.cache_info().currsize == 0
    started = set(threading.enumerate()) - before
    assert not [thread for thread in started if thread.name.startswith("catalogue")]


def test_place_at_other_prices_names_every_one_and_writes_nothing(
    catalogue: Sandbox, sandbox: Sandbox
) -> None:
    catalogue.store.set_prices({"10": "50.00", "11": 8, "12": 1.5})

    with pytest.raises(PriceChanged) as caught:
        place(
            Item("10", 1, FIFTY),
            Item("10", 1, Decimal("40.00")),
            Item("11", 1, Decimal("8.01")),
            Item("12", 1, Decimal("1.50")),
            Item("13", 1, FIFTY),
        )

    assert caught.value.changes == (
        PriceChange("10", Decimal("40.00"), FIFTY),
        PriceChange("11", Decimal("8.01"), Decimal("8.00")),
        PriceChange("13", FIFTY, None),
    )
    assert str(caught.value) == (
        "10 costs 50.00 and not 40.00; 11 costs 8.00 and not 8.01; 13 is not in the catalogue"
    )
    assert not Order.objects.exists()
    assert sandbox.calls() == {}  # nor was the stock looked at
    assert catalogue.calls() == {"price": 4}  # once for a product, whatever its lines


@pytest.mark.parametrize("by", ["guest", "manager"])
def test_place_by_whoever_is_compared(catalogue: Sandbox, by: str) -> None:
    """Behind a manager's API key stands a shop, which passes on what a browser sent."""
    catalogue.store.set_prices({"10": "50.00"})
    with pytest.raises(PriceChanged):
        place(Item("10", 1, Decimal(1)), by=GUEST if by == "guest" else actor("manager"))


@pytest.mark.parametrize(
    "price", [-1, "-1", 50.001, "fifty", True, [], {}, 1e300, "NaN", float("nan")]
)
def test_place_with_a_price_that_is_none_writes_nothing(catalogue: Sandbox, price: object) -> None:
    catalogue.store.set_prices({"10": "50.00", "11": price})
    with pytest.raises(CatalogueUnavailable):
        place(Item("10", 1, FIFTY), Item("11", 1, FIFTY))
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    "fault",
    ["500_before", "503_before", "reset_before", "307", "429", "hang", "slow_loris", "truncated"],
)
def test_place_with_a_catalogue_that_fails_writes_nothing_within_the_deadline(
    catalogue: Sandbox, sandbox: Sandbox, fault: str
) -> None:
    catalogue.store.set_prices({"10": "50.00"})
    catalogue.faults.script(fault, operation="price")
    started = time.monotonic()
    with pytest.raises(CatalogueUnavailable):
        place(Item("10", 1, FIFTY))
    assert time.monotonic() - started < 1.5
    assert not Order.objects.exists()
    assert sandbox.calls() == {}


def test_place_with_the_catalogue_away_is_refused_at_once_after_five(catalogue: Sandbox) -> None:
    catalogue.switches.update({"down": "reset"})
    for _ in range(5):
        with pytest.raises(CatalogueUnavailable):
            place(Item("10", 1, FIFTY))
    catalogue.switches.update({"down": ""})
    with pytest.raises(CatalogueUnavailable) as caught:
        place(Item("10", 1, FIFTY))
    assert 1 <= caught.value.retry_after <= 5
    assert catalogue.calls() == {}


def let_all_arrive(catalogue: Sandbox) -> None:
    """Wait until the calls that were left on their way have come, here and not in another test."""
    seen: dict[str, int] | None = None
    while (calls := catalogue.calls()) != seen:
        seen = calls
        time.sleep(0.4)  # longer than the latency that those calls still sit out


def test_place_100_lines_at_a_slow_catalogue_ends_at_the_deadline(
    catalogue: Sandbox, settings: Settings
) -> None:
    every = [Item(str(number), 1, FIFTY) for number in range(1, 101)]
    catalogue.store.set_prices({item.product_id: "50.00" for item in every})
    catalogue.switches.update({"latency_ms": 300})
    started = time.monotonic()
    with pytest.raises(CatalogueUnavailable):
        place(*every)
    assert time.monotonic() - started < 1.5
    let_all_arrive(catalogue)

    catalogue.switches.update({"latency_ms": 0})
    settings.CATALOG_TIMEOUT_SECONDS = 10.0
    prices.client.cache_clear()
    assert mark_of(place(*every)) == "catalogue"


def test_place_without_a_thread_to_spare_is_refused_at_once(
    catalogue: Sandbox, settings: Settings
) -> None:
    """The catalogue's calls and the inventory's count together: two slow ones are no worse."""
    catalogue.store.set_prices({"10": "50.00"})
    settings.WEB_THREADS = 3
    outgoing._slots.cache_clear()
    try:
        before = catalogue.calls()
        with outgoing.slot(), pytest.raises(CatalogueUnavailable) as caught:
            place(Item("10", 1, FIFTY))
        assert caught.value.retry_after == 1
        assert catalogue.calls() == before
        assert mark_of(place(Item("10", 1, FIFTY))) == "catalogue"
    finally:
        outgoing._slots.cache_clear()


def test_place_asks_the_catalogue_outside_any_transaction(
    catalogue: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.store.set_prices({"10": "50.00"})
    inside = []
    compare = prices.compare

    def look(sent: list[tuple[str, Decimal]]) -> object:
        inside.append(connection.in_atomic_block)
        return compare(sent)

    monkeypatch.setattr(prices, "compare", look)
    place(Item("10", 1, FIFTY))
    assert inside == [False]


def test_place_with_prices_that_match_still_looks_at_the_stock(
    catalogue: Sandbox, sandbox: Sandbox
) -> None:
    catalogue.store.set_prices({"10": "50.00"})
    sandbox.store.set_stock({"10": 1})
    with pytest.raises(InsufficientStock):
        place(Item("10", 2, FIFTY))


# The mark.


def amend(order: Order, *items: Item) -> str:
    said = Amendment(
        full_name="John Doe",
        email="john@example.com",
        address="123 Main St",
        city="Springfield",
        zip_code="12345",
        items=items,
    )
    manager = actor("manager", via=Door.ADMIN)
    lifecycle.amend(order.pk, said, actor=manager, expected_version=order.version)
    return mark_of(order)


@pytest.mark.parametrize("source", ["sent", "catalogue"])
def test_amend_with_another_price_says_that_it_is_the_staff_s(
    catalogue: Sandbox, source: str
) -> None:
    placed = order_of(p10=2, p11=1)
    Order.objects.update(price_source=source)
    assert amend(placed, Item("10", 3, FIFTY)) == source  # fewer lines, and more pieces
    assert amend(placed, Item("10", 3, FIFTY), Item("12", 1, FIFTY)) == "staff"
    assert amend(placed, Item("10", 3, FIFTY)) == "staff"
    assert catalogue.calls() == {}


def test_amend_of_a_line_s_price_says_that_it_is_the_staff_s() -> None:
    assert amend(order_of(p10=2), Item("10", 2, Decimal("45.00"))) == "staff"


def test_order_of_the_release_before_says_prices_as_sent() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orders_order (public_id, customer_reference, full_name, email, address,"
            " city, zip_code, currency, total, status, stock_state, version)"
            " VALUES (gen_random_uuid(), 'g', 'n', 'e', 'a', 'c', 'z', 'USD', 0, 'PENDING',"
            " 'clear', 1)"
        )
    assert Order.objects.get().price_source == "sent"


def test_mark_of_another_word_is_refused_by_the_database() -> None:
    placed = order_of(p10=1)
    with pytest.raises(IntegrityError, match="order_price_source"), transaction.atomic():
        Order.objects.filter(pk=placed.pk).update(price_source="rumour")
