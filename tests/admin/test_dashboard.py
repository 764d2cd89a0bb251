"""The dashboard: who sees which card, what each says, costs and leads to."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import figures, lifecycle
from orders.admin.dashboard.tiles import Tile
from orders.models import Confirmation
from tests.admin.conftest import SignIn
from tests.admin.desk import in_review
from tests.factories import OPERATOR, order, order_of, staff, user

pytestmark = pytest.mark.django_db

HOME = "/admin/"
PING = "/admin/inventory/"
SHOP = ["Open orders", "Orders and revenue"]
LEDGER = ["Stock", "Failed confirmations", "Worker", "Inventory service"]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the patience that a busy machine needs."""
    monkeypatch.setattr(figures, "DEADLINE", 10_000)


def cards(client: Client) -> dict[str, Any]:
    """Return what the dashboard shows, by the cards' titles."""
    context = client.get(HOME).context
    parts = (*context["tiles"], *context["charts"], *context["health"])
    return {card.title: card.shown for card in parts}


def tiles(client: Client) -> dict[str, Tile]:
    """Return the tiles by their titles."""
    context = client.get(HOME).context
    return {tile.title: tile for card in context["tiles"] for tile in card.shown}


# --- who sees what -------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["fulfilment", "manager", "auditor"])
def test_dashboard_shows_every_card_to_who_sees_the_ledger(sign_in: SignIn, role: str) -> None:
    assert set(cards(sign_in(role))) == {*SHOP, *LEDGER, "Latest"}


def test_dashboard_shows_a_viewer_no_card_of_the_ledger(sign_in: SignIn) -> None:
    order(stock_state="settling")
    client = sign_in("viewer")
    assert set(cards(client)) == {*SHOP, "Latest"}
    assert set(tiles(client)) == {"Pending", "Past due", "On hold"}


def test_dashboard_of_somebody_without_a_role_is_empty_and_friendly() -> None:
    order()
    client = Client()
    client.force_login(user(is_staff=True, first_name="Kim"))
    body = client.get(HOME).content.decode()
    assert cards(client) == {}
    assert "Welcome, Kim" in body
    assert "Your account has no role yet" in body


def test_dashboard_of_somebody_who_sees_only_people_lists_what_they_can_open(
    sign_in: SignIn,
) -> None:
    member = user(is_staff=True)
    member.user_permissions.set(
        staff("auditor").groups.get().permissions.filter(codename="view_user")
    )
    client = Client()
    client.force_login(member)
    assert 'href="/admin/orders/user/"' in client.get(HOME).content.decode()
    assert cards(client) == {}


@pytest.mark.parametrize("path", [HOME, PING])
def test_dashboard_is_for_staff(path: str) -> None:
    client = Client()
    client.force_login(user())
    for who in (Client(), client):
        assert who.get(path).status_code == 302


# --- what it says --------------------------------------------------------------------------------


def test_tile_counts_what_its_list_shows(sign_in: SignIn, settings: Settings) -> None:
    settings.ORDER_DUE_HOURS = 2
    now = timezone.now()
    for hours, fields in (
        (1, {}),
        (3, {}),
        (4, {"stock_state": "short"}),
        (5, {"status": "CONFIRMED"}),
        (1, {"status": "CONFIRMED", "stock_state": "settling"}),
        (9, {"status": "CANCELLED"}),
        (9, {"hold_reason": "fraud", "held_since": now}),
    ):
        order(created_at=now - timedelta(hours=hours), **fields)
    client = sign_in("manager")
    counted = {}
    for title, tile in tiles(client).items():
        lists = [(title, tile.number, tile.link)] if tile.link else []
        lists += [(f"{title} {part.word}", part.number, part.link) for part in tile.parts]
        for name, number, link in lists:
            page = client.get(link)
            assert page.status_code == 200
            counted[name] = (int(number), len(page.context["cl"].result_list))
    assert counted == {
        "Pending": (4, 4),
        "Past due pending": (3, 3),
        "Past due confirmed": (1, 1),
        "On hold": (1, 1),
        "Short": (1, 1),
        "Settling": (1, 1),
        "Review": (0, 0),
    }


def test_tile_says_how_old_the_oldest_is_and_warns_only_of_something(sign_in: SignIn) -> None:
    client = sign_in("manager")
    calm = tiles(client)
    assert {tile.alarming for tile in calm.values()} == {""}
    assert (calm["Pending"].note, calm["Review"].note) == ("nobody waits", "nothing to decide")
    order(created_at=timezone.now() - timedelta(hours=30, minutes=1))
    seen = tiles(client)
    assert seen["Pending"].note == "oldest 30 h"
    assert (str(seen["Past due"].number), seen["Past due"].alarming) == ("1", "warning")
    assert seen["Past due"].note == "open, over 24 h old"


def test_review_tile_leads_to_the_desk_that_it_counts(sign_in: SignIn, sandbox: Sandbox) -> None:
    in_review(sandbox)
    client = sign_in("manager")
    tile = tiles(client)["Review"]
    assert (int(tile.number), tile.alarming) == (1, "danger")
    assert len(client.get(tile.link).context["cl"].result_list) == 1


def test_charts_show_a_month_and_a_table_that_leads_to_each_day(sign_in: SignIn) -> None:
    now = timezone.now()
    for back, fields in (
        (0, {}),
        (0, {"status": "CANCELLED"}),
        (0, {"currency": "KHR"}),
        (3, {}),
        (30, {}),
    ):
        order(created_at=now - timedelta(days=back), total=Decimal("1200.50"), **fields)
    client = sign_in("viewer")
    shown = cards(client)["Orders and revenue"]
    assert (shown.orders_total, shown.cancelled_total) == ("3", "1")
    assert (shown.revenue_total, shown.revenue_today) == ("2,401.00 USD", "1,200.50 USD")
    assert len(shown.orders.columns) == len(shown.revenue.columns) == len(shown.rows) == 30
    assert "3 orders and 1 cancelled" in shown.orders_told
    assert "2,401.00 USD" in shown.revenue_told
    for row in (shown.rows[0], shown.rows[3], shown.rows[1]):
        found = client.get(row.link).context["cl"].result_list
        assert len(found) == int(row.orders) + int(row.cancelled)
    body = client.get(HOME).content.decode()
    assert "1 in another currency than USD are left out" in body
    assert "Days in UTC." in body


def test_failed_confirmations_are_charted_and_listed_by_reason(
    sign_in: SignIn, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 1})
    for _ in range(2):
        lifecycle.confirm_many([order_of(p10=2).pk], actor=OPERATOR)
        lifecycle.advance_due()
    Confirmation.objects.create(
        order=order(),
        actor="system",
        via="api",
        state="rejected",
        failure="inventory_unavailable",
        settled_at=timezone.now(),
    )
    client = sign_in("manager")
    shown = cards(client)["Failed confirmations"]
    assert [(reason.text, reason.number) for reason in shown.reasons] == [
        ("Not enough in stock", "2"),
        ("The inventory service could not be asked", "1"),
    ]
    for link, number in ((shown.link, 3), *((r.link, int(r.number)) for r in shown.reasons)):
        assert len(client.get(link).context["cl"].result_list) == number
    body = client.get(shown.link).content.decode()
    assert "2 × 10 short, 1 in stock" in body
    assert "the inventory service could not be asked" in body


def test_worker_card_says_when_nobody_works(sign_in: SignIn) -> None:
    client = sign_in("manager")
    assert "none running" in cards(client)["Worker"].badge
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
    assert "1 running" in cards(client)["Worker"].badge


def test_latest_names_who_did_what(sign_in: SignIn, sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 9})
    placed = order_of(p10=2)
    lifecycle.confirm(placed.pk, actor=OPERATOR, hold=5)
    [latest, *_] = cards(sign_in("viewer"))["Latest"]
    assert (latest.number, latest.what, latest.who) == (placed.pk, "Confirmed", "system")


# --- what it costs -------------------------------------------------------------------------------


def test_dashboard_costs_as_many_queries_for_many_orders_as_for_one(
    sign_in: SignIn, sandbox: Sandbox
) -> None:
    client = sign_in("manager")
    sandbox.store.set_stock({"10": 90})
    counts = []
    for more in (1, 12):
        for _ in range(more):
            lifecycle.confirm(order_of(p10=2).pk, actor=OPERATOR, hold=5)
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            assert client.get(HOME).status_code == 200
        counts.append(len([each for each in queries if not _of_the_test(each["sql"])]))
    with CaptureQueriesContext(connection) as kept:
        client.get(HOME)
    assert counts[0] == counts[1] <= 19
    assert len([each for each in kept if not _of_the_test(each["sql"])]) == counts[0] - 4


def _of_the_test(statement: str) -> bool:
    """Tell what stands for BEGIN and COMMIT within the transaction of a test."""
    return re.match("(RELEASE )?SAVEPOINT", statement) is not None


def test_card_whose_statement_is_too_slow_says_so_and_the_others_show(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, committed_db: None
) -> None:
    order()
    client = sign_in("manager")
    monkeypatch.setattr(figures, "_WORKER", "SELECT pg_sleep(5)")
    monkeypatch.setattr(figures, "_STOCK_QUEUES", "SELECT pg_sleep(5)")
    monkeypatch.setattr(figures, "DEADLINE", 300)
    response = client.get(HOME)
    assert response.status_code == 200
    context = response.context
    parts = (*context["tiles"], *context["charts"], *context["health"])
    silent = [card.title for card in parts if card.shown is None]
    assert set(silent) >= {"Stock", "Worker"}
    assert response.content.decode().count("did not answer in time") == len(silent)
