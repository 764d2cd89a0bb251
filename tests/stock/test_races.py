"""Staff who click at the same instant, each race proven to be one by a control without the guard.

Each test repeats its race until a wrong guard could hardly survive it, over real database
connections and an inventory service whose adjust is a read, then a write.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.lifecycle import advancing
from orders.models import Confirmation, Order
from orderservice.postgresql import fetching
from orderservice.postgresql.fetching import fetch
from tests.factories import OPERATOR, order_of, stock

pytestmark = pytest.mark.usefixtures("committed_db")

ROUNDS = 50


def at_once(*calls: Callable[[], object]) -> list[BaseException]:
    """Run the calls in threads that start at the same instant; return what they raised."""
    barrier = threading.Barrier(len(calls))
    raised: list[BaseException] = []

    def run(call: Callable[[], object]) -> None:
        try:
            barrier.wait()
            call()
        except BaseException as exc:
            raised.append(exc)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def confirming_of(number: int) -> Callable[[], object]:
    """Return the call that confirms an order."""
    return partial(lifecycle.confirm, number, actor=OPERATOR)


def race_for_one_order(sandbox: Sandbox) -> list[int]:
    """Confirm one order twice at once, round by round; return what each round took of 2 pieces."""
    taken = []
    for _ in range(ROUNDS):
        sandbox.store.set_stock({"10": 10})
        number = order_of(p10=2).pk
        at_once(confirming_of(number), confirming_of(number))
        taken.append(10 - stock(sandbox)["10"])
    return taken


def race_for_one_product(sandbox: Sandbox) -> list[int]:
    """Confirm two orders of one product at once; return what each round took of 1 + 1 pieces."""
    taken = []
    for _ in range(ROUNDS):
        sandbox.store.set_stock({"10": 10})
        one, other = order_of(p10=1).pk, order_of(p10=1).pk
        assert at_once(confirming_of(one), confirming_of(other)) == []
        taken.append(10 - stock(sandbox)["10"])
    return taken


@contextmanager
def without_index(name: str) -> Iterator[None]:
    """Take a unique index away for a while."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name])
        definition = cursor.fetchone()[0]
        cursor.execute(f'DROP INDEX "{name}"')
        try:
            yield
        finally:
            cursor.execute("TRUNCATE orders_confirmation CASCADE")
            cursor.execute(definition)


def test_confirm_twice_at_once_moves_stock_once(sandbox: Sandbox) -> None:
    sandbox.switches.update({"race_window_ms": 3})

    assert race_for_one_order(sandbox) == [2] * ROUNDS
    assert Confirmation.objects.count() == ROUNDS
    assert Order.objects.filter(status="CONFIRMED", stock_state="clear").count() == ROUNDS


def test_confirm_twice_at_once_without_the_guards_moves_stock_twice(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: no row lock, no unique live confirmation."""

    def not_locked(model: type[Model], condition: str, parameters: Mapping[str, Any]) -> Any:
        return fetch(model, condition.replace(" FOR UPDATE", ""), parameters)

    monkeypatch.setattr(fetching, "fetch", not_locked)
    monkeypatch.setattr(advancing, "fetch", not_locked)
    sandbox.switches.update({"race_window_ms": 3})

    with without_index("one_live_confirmation"):
        taken = race_for_one_order(sandbox)

    assert 4 in taken


def test_confirm_of_one_product_by_two_orders_loses_nothing(sandbox: Sandbox) -> None:
    sandbox.switches.update({"race_window_ms": 3})

    assert race_for_one_product(sandbox) == [2] * ROUNDS


def test_confirm_of_one_product_without_the_mutex_loses_updates(
    sandbox: Sandbox, settings: Settings
) -> None:
    """The control: the upstream is left to race with itself."""
    settings.INVENTORY_SERIALIZE_PRODUCTS = False
    sandbox.switches.update({"race_window_ms": 3})

    assert 1 in race_for_one_product(sandbox)
