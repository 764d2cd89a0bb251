"""The smoke test, by which CI tells that the image and docker-compose.yml work."""

import pytest

from inventory_client.sandbox.server import Sandbox
from orders.models import Order
from orderservice.dev import smoke
from tests.api.calls import key_of
from tests.factories import staff, stock
from tests.processes import free_port, web

pytestmark = pytest.mark.usefixtures("committed_db")


def test_smoke_passes_when_an_order_is_confirmed_and_says_what_keeps_it_from_that(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.store.set_stock({"10": 1})
    monkeypatch.setenv("API_KEY", key_of(staff("manager")))
    with web(sandbox.url) as address:
        assert smoke.main([address]) == 0
        placed = Order.objects.get()
        assert capsys.readouterr().out.startswith(f"smoke: order {placed.number} confirmed after ")
        assert (placed.status, stock(sandbox)) == ("CONFIRMED", {"10": 0})

        assert smoke.main([address]) == 1  # none is left
        assert "placing an order got 409" in capsys.readouterr().err

        sandbox.store.set_stock({"10": 5})
        sandbox.faults.script(fault="reset_after", operation="adjust")
        assert smoke.main([address], patience=1) == 1
        assert "is PENDING, its stock settling" in capsys.readouterr().err

        monkeypatch.setenv("API_KEY", "wrong")
        assert smoke.main([address]) == 1
        assert "placing an order got 401" in capsys.readouterr().err

    assert smoke.main([f"http://localhost:{free_port()}"], patience=0) == 1
    assert "not ready: GET /health/ready: " in capsys.readouterr().err
