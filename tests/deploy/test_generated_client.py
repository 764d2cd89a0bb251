"""A client that somebody generates from our description works with the service as it runs."""

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from inventory_client.sandbox.server import Sandbox
from tests.api.calls import key_of
from tests.factories import staff
from tests.processes import ROOT, web

pytestmark = pytest.mark.usefixtures("committed_db")

PACKAGE = "orders_by_description"


@pytest.fixture
def generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the client in a folder that Python finds; the generator must have understood it all."""
    configuration = tmp_path / "configuration.yaml"
    configuration.write_text("post_hooks: []\n")  # it would tidy the code up, which nobody reads
    options = {
        "--path": str(ROOT / "docs" / "openapi.yaml"),
        "--output-path": str(tmp_path / PACKAGE),
        "--config": str(configuration),
        "--meta": "none",
    }
    generate = [sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning"]
    subprocess.run([*generate, *chain.from_iterable(options.items())], check=True)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def call(name: str) -> Any:
    """Return the function that makes a call of the orders."""
    return import_module(f"{PACKAGE}.api.orders.{name}").sync


def test_generated_client_brings_an_order_through_its_life(
    generated: None, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 5})
    client, models = import_module(PACKAGE), import_module(f"{PACKAGE}.models")
    key = key_of(staff("manager"))
    with web(sandbox.url) as address:
        guest = client.Client(base_url=address)
        service = client.AuthenticatedClient(base_url=address, token=key, prefix="Api-Key")
        order = models.NewOrder(
            full_name="John Doe",
            email="john@example.com",
            address="123 Main St",
            city="Springfield",
            zip_code="12345",
            items=[models.NewItem(product_id="10", quantity=2, price="50.00")],
        )

        placed = call("create_order")(client=guest, body=order, idempotency_key="once")
        again = call("create_order")(client=guest, body=order, idempotency_key="once")
        assert (placed.total, placed.status) == ("100.00", models.OrderStatus.PENDING)
        assert again == placed
        assert call("get_order")(placed.id, client=guest) == placed
        assert call("list_orders")(client=service, status=placed.status).data == [placed]

        confirmed = call("set_order_status")(
            placed.id, client=service, body=models.StatusChange(models.OrderStatus.CONFIRMED)
        )
        assert (confirmed.status, confirmed.stock.state) == ("CONFIRMED", "clear")
        timeline = call("list_order_events")(placed.id, client=guest)
        assert timeline.data[0].kind == models.EventKind.PLACED
        assert timeline.data[-1].kind == models.EventKind.CONFIRMED

        order.items[0].quantity = 9
        short = call("create_order")(client=guest, body=order)
        assert isinstance(short, models.Problem)
        assert (short.status, short.code) == (409, "insufficient_stock")
        assert [(each.product_id, each.available) for each in short.items] == [("10", 3)]
        absent = call("get_order")(uuid4(), client=guest)
        assert (absent.status, absent.code) == (404, "not_found")
