"""``seed_demo --orders``: a made-up history that the ledger's checks find no fault with."""

from collections import Counter
from itertools import pairwise

import pytest
from django.core.management import CommandError
from django.db import connection
from pytest_django.fixtures import Settings

from orders import lifecycle
from orders.management.demo import loading
from orders.models import Order, OrderEvent, StockAttempt, StockMovement, User
from tests.commands.running import run
from tests.factories import order

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture(autouse=True)
def in_development(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEBUG = True
    monkeypatch.setattr(loading, "ORDERS_A_PART", 700)  # so that there is more than one part


def options_of(index: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reloptions FROM pg_class WHERE relname = %s", [index])
        return list(cursor.fetchone()[0])


def test_history_is_clean_and_has_orders_in_every_state() -> None:
    outcome = run("seed_demo", "--orders", "1500")
    assert (outcome.code, outcome.out.splitlines()[0]) == (0, "1500 orders")
    found = Counter(Order.objects.values_list("status", flat=True))
    assert found["COMPLETED"] > 1200
    assert min(found[status] for status in ("PENDING", "CONFIRMED", "CANCELLED")) > 0
    reconciled = run("reconcile_stock", "--no-inventory")
    assert (reconciled.code, reconciled.out.strip()) == (0, "clean")
    assert not lifecycle.advance_due()


def test_history_is_told_in_the_order_of_its_numbers_with_its_evidence() -> None:
    run("seed_demo", "--orders", "800")
    placed = list(Order.objects.order_by("number").values_list("created_at", flat=True))
    assert placed == sorted(placed)
    assert (placed[-1] - placed[0]).days >= 720
    events = OrderEvent.objects.order_by("order", "id").values_list("order", "at", "kind")
    for (number, at, _), (next_number, next_at, kind) in pairwise(events):
        assert kind == "placed" if number != next_number else next_at >= at
    applied = StockMovement.objects.filter(state="applied")
    assert applied.count() == StockAttempt.objects.filter(outcome="applied").count() > 800
    for each in Order.objects.prefetch_related("items")[:50]:
        assert each.total == sum(item.subtotal for item in each.items.all())
        assert each.version == each.events.count()


def test_history_of_a_seed_is_always_the_same() -> None:
    def told() -> list[tuple[object, ...]]:
        rows = Order.objects.order_by("number").values_list("full_name", "email", "total", "status")
        return list(rows)

    histories = []
    for seed in ("3", "3", "4"):
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE orders_order CASCADE")
        run("seed_demo", "--orders", "60", "--seed", seed)
        histories.append(told())
    assert histories[0] == histories[1] != histories[2]


def test_history_with_unsettled_orders_leaves_them_to_people() -> None:
    run("seed_demo", "--orders", "20", "--unsettled", "3")
    states = Counter(Order.objects.values_list("stock_state", flat=True))
    assert (states["settling"], states["review"]) == (3, 3)
    reconciled = run("reconcile_stock", "--no-inventory")
    assert reconciled.code == 2
    assert reconciled.out.splitlines()[-1] == "3 unsettled, 3 review"
    assert not lifecycle.advance_due()


def test_history_leaves_the_indexes_as_they_were() -> None:
    before = [options_of(index) for index in loading.TRIGRAM_INDEXES]
    run("seed_demo", "--orders", "5")
    assert [options_of(index) for index in loading.TRIGRAM_INDEXES] == before
    assert before == [["fastupdate=off"], ["fastupdate=off"]]


def test_history_beside_orders_is_written_only_by_force() -> None:
    order()
    with pytest.raises(CommandError, match="--force"):
        run("seed_demo", "--orders", "5")
    assert Order.objects.count() == 1
    assert run("seed_demo", "--orders", "5", "--force").out.splitlines()[0] == "6 orders"


@pytest.mark.parametrize("arguments", [["--orders", "0"], ["--orders", "-1"]])
def test_history_of_no_orders_is_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="at least 1"):
        run("seed_demo", *arguments)


def test_history_in_production_wants_a_yes_and_makes_no_login(settings: Settings) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="--yes"):
        run("seed_demo", "--orders", "5")
    assert run("seed_demo", "--orders", "5", "--yes").out.splitlines() == ["5 orders"]
    assert not User.objects.exists()


def test_order_of_a_history_can_be_completed() -> None:
    run("seed_demo", "--orders", "600")
    confirmed = Order.objects.filter(status="CONFIRMED")[0]
    assert run("complete_orders", str(confirmed.pk)).code == 0
