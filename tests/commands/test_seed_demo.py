"""``seed_demo``."""

from collections import Counter

import pytest
from django.core.management import CommandError
from pytest_django.fixtures import Settings

from inventory_client.sandbox.control import DEMO_PRICES, DEMO_STOCK
from inventory_client.sandbox.server import Sandbox
from orders.models import Order, User
from tests.commands.running import run

pytestmark = pytest.mark.usefixtures("committed_db")


def test_seed_demo_places_orders_in_each_state_and_the_login_once(
    sandbox: Sandbox, settings: Settings
) -> None:
    settings.DEBUG = True
    sandbox.reset(DEMO_STOCK)

    first = run("seed_demo")
    second = run("seed_demo")

    assert first == second
    assert (first.code, first.err) == (0, "")
    assert first.out.splitlines() == ["14 orders", "Staff login at /admin/: admin / admin"]
    assert Counter(Order.objects.values_list("status", flat=True)) == {
        "COMPLETED": 3,
        "CONFIRMED": 4,
        "PENDING": 6,
        "CANCELLED": 1,
    }
    assert User.objects.get().check_password("admin")
    assert run("reconcile_stock").code == 0


def test_seed_demo_orders_at_the_sandbox_s_prices(
    sandbox: Sandbox, catalogue: Sandbox, settings: Settings
) -> None:
    settings.DEBUG = True
    sandbox.reset(DEMO_STOCK)
    catalogue.switches.update({"down": "503"})
    with pytest.raises(CommandError, match="No answer from the catalogue"):
        run("seed_demo")
    catalogue.switches.update({"down": ""})
    catalogue.store.set_prices(DEMO_PRICES)

    seeded = run("seed_demo")

    assert (seeded.code, seeded.err) == (0, "")
    assert Counter(Order.objects.values_list("price_source", flat=True)) == {"catalogue": 14}


def test_seed_demo_in_production_makes_no_login(settings: Settings) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="only with DEBUG=1"):
        run("seed_demo")
    assert User.objects.count() == 0


def test_seed_demo_without_an_inventory_says_where_it_asked(
    sandbox: Sandbox, settings: Settings
) -> None:
    settings.DEBUG = True
    sandbox.switches.update({"down": "503"})
    with pytest.raises(CommandError, match=sandbox.url):
        run("seed_demo")
