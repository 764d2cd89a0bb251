"""Live stock beside the lines: one call, a short one, and a page that never waits for it."""

import time
from typing import Any

import pytest
from django.test import Client

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle, outgoing
from orders.models import Order
from orders.stock import inventory
from tests.admin.conftest import SignIn
from tests.admin.pages import address, page
from tests.factories import OPERATOR, order, order_of
from tests.processes import wait_for

pytestmark = pytest.mark.usefixtures("committed_db")

DOWN = "The inventory service can&#x27;t be asked right now."


def part(client: Client, placed: Order, seen: int | str = 1) -> Any:
    """Return what htmx is given."""
    return client.get(address(placed, "stock"), {"seen": seen}, headers={"HX-Request": "true"})


def said(response: Any) -> list[tuple[str, str, bool]]:
    return [(line.need, line.supply, line.is_short) for line in response.context["lines"]]


@pytest.mark.parametrize("role", ["viewer", "fulfilment", "manager", "auditor"])
def test_stock_stands_beside_each_line(sign_in: SignIn, sandbox: Sandbox, role: str) -> None:
    sandbox.store.set_stock({"10": 45, "9": 1200})
    response = part(sign_in(role), order_of(p10=2, p9=1))
    assert said(response) == [
        ("needs 2", "45 in stock", False),
        ("needs 1", "1,200 in stock", False),
    ]
    assert "unfold" not in response.content.decode()


def test_lines_of_one_product_are_added_up(sign_in: SignIn, sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 4})
    placed = order_of(p10=2)
    placed.items.create(product_id="10", quantity=3, unit_price=1)
    assert said(part(sign_in("viewer"), placed)) == [
        ("needs 5 with its other lines", "4 in stock", True),
        ("needs 5 with its other lines", "4 in stock", True),
    ]


def test_unknown_product_is_none_in_stock(sign_in: SignIn, sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 0})
    assert (
        said(part(sign_in("viewer"), order_of(p404=1, p10=1)))
        == [("needs 1", "none in stock, or unknown there", True)] * 2
    )


def test_all_lines_are_asked_for_in_one_call(sign_in: SignIn, sandbox: Sandbox) -> None:
    placed = order_of("50.00", **{f"A{each}": 1 for each in range(100)})
    assert len(said(part(sign_in("viewer"), placed))) == 100
    assert sum(sandbox.calls().values()) == 1


@pytest.mark.parametrize("down", ["503", "reset"])
def test_inventory_down_says_so_and_shows_the_lines(
    sign_in: SignIn, sandbox: Sandbox, down: str
) -> None:
    sandbox.switches.update({"down": down})
    response = part(sign_in("viewer"), order_of(p10=2))
    assert (response.status_code, said(response)) == (200, [("needs 2", "", False)])
    assert DOWN in response.content.decode()


def test_slow_inventory_is_waited_for_briefly(
    sign_in: SignIn, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "GLANCE", 0.2)
    sandbox.switches.update({"latency_ms": 3000})
    placed = order_of(p10=2)
    client = sign_in("viewer")
    began = time.monotonic()
    response = part(client, placed)
    assert time.monotonic() - began < 2
    assert DOWN in response.content.decode()
    wait_for(lambda: sandbox.calls() == {"check": 1})  # it arrives late, and not in another test


def test_impatience_does_not_close_the_way_for_those_who_confirm(
    sign_in: SignIn, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "GLANCE", 0.05)
    sandbox.store.set_stock({"10": 45})
    sandbox.switches.update({"latency_ms": 200})
    placed = order_of(p10=2)
    client = sign_in("viewer")
    for _ in range(6):  # one more than the breaker stands
        assert DOWN in part(client, placed).content.decode()
    assert lifecycle.confirm(placed.pk, actor=OPERATOR).status == "CONFIRMED"
    wait_for(lambda: sandbox.calls()["check"] == 6)  # five before the breaker opened, and its own


def test_process_without_a_call_to_spare_says_so_at_once(
    sign_in: SignIn, sandbox: Sandbox, settings: Any
) -> None:
    settings.WEB_THREADS = 1
    outgoing._slots.cache_clear()
    try:
        with inventory.call():
            assert DOWN in part(sign_in("viewer"), order_of(p10=2)).content.decode()
    finally:
        outgoing._slots.cache_clear()


def test_page_itself_asks_nobody(sign_in: SignIn, sandbox: Sandbox) -> None:
    placed = order_of(p10=2)
    response = sign_in("manager").get(page(placed))
    assert sandbox.calls() == {}
    assert f'hx-get="{address(placed, "stock")}?seen=1"' in response.content.decode()


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "CONFIRMED"},
        {"status": "COMPLETED"},
        {"status": "CANCELLED"},
        {"stock_state": "settling"},
        {"stock_state": "review"},
    ],
)
def test_stock_is_asked_for_pending_orders_at_rest_alone(
    sign_in: SignIn, sandbox: Sandbox, fields: dict[str, str]
) -> None:
    placed = order_of(p10=2)
    Order.objects.filter(pk=placed.pk).update(**fields)
    client = sign_in("viewer")
    assert part(client, placed).context["live"] is False
    assert address(placed, "stock") not in client.get(page(placed)).content.decode()
    assert sandbox.calls() == {}


def test_stock_of_an_order_without_lines_asks_nobody(sign_in: SignIn, sandbox: Sandbox) -> None:
    assert said(part(sign_in("viewer"), order())) == []
    assert sandbox.calls() == {}


def test_stock_of_a_page_that_is_old_says_so(sign_in: SignIn, sandbox: Sandbox) -> None:
    placed = order_of(p10=2)
    client = sign_in("viewer")
    assert "has changed since" not in part(client, placed).content.decode()
    Order.objects.filter(pk=placed.pk).update(version=2)
    assert "has changed since" in part(client, placed).content.decode()
    assert "has changed since" in part(client, placed, seen="<script>").content.decode()


def test_stock_without_a_script_is_a_page_of_its_own(sign_in: SignIn, sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    body = sign_in("viewer").get(address(order_of(p10=2), "stock")).content.decode()
    assert "45 in stock" in body
    assert "</html>" in body


def test_stock_for_who_is_signed_out_reloads_the_page() -> None:
    response = part(Client(), order_of(p10=2))
    assert (response["HX-Refresh"], response.content) == ("true", b"")
