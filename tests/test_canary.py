"""The canaries are seen where they must not be: a watch that sees nothing would be worthless."""

import logging

import pytest
import structlog

from inventory_client.sandbox.server import Sandbox
from orders.models import Order
from orders.stock import inventory
from tests.api.calls import create, guest, url
from tests.canary import ID_ENDS, Watch
from tests.factories import order

pytestmark = pytest.mark.django_db


def test_order_has_a_canary_for_an_id() -> None:
    assert str(order().public_id).endswith(ID_ENDS)


@pytest.mark.parametrize(
    ("leak", "what"),
    [
        ("{order.public_id}", "an order's id"),
        ("{order.email}", "an e-mail"),
        ("{order.full_name}", "a name"),
        ("{order.address}", "an address"),
        ("Bearer eyJhbGciOiJIUzI1.eyJzdWIiOiJ4eHh4", "a token"),
        ("Api-Key abcdefgh.ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", "an API key"),
    ],
)
def test_canary_in_a_log_line_is_seen(watch: Watch, leak: str, what: str) -> None:
    text = leak.format(order=order())
    structlog.get_logger("orders.test").info("leak", value=text)
    logging.getLogger("library").info("leak %s", text)
    assert [each.partition(" is logged")[0] for each in watch.leaks] == [what, what]
    watch.leaks.clear()


def test_canary_in_a_call_is_seen(watch: Watch, sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10-@example.com": 1})
    inventory.client().read("10-@example.com")
    assert watch.leaks[0].startswith("an e-mail is sent")
    watch.leaks.clear()


def test_life_of_an_order_is_logged_and_lets_none_out(watch: Watch, sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    lines, calls = watch.lines, watch.calls
    made = create(guest())
    placed = Order.objects.get(public_id=made.json()["id"])
    for path in (url(placed), url(placed, "/events"), f"/track/{placed.public_id}"):
        assert guest().get(path).status_code == 200
    assert guest().get(f"{url(placed)}/nothing").status_code == 404
    assert watch.lines >= lines + 5
    assert watch.calls > calls
    assert watch.leaks == []
