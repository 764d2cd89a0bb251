"""The release before this one runs on the new schema, as it does while a release goes out."""

from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings
from django.test import Client

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Order
from tests.api.calls import body, key_of
from tests.factories import OPERATOR, order_of, staff, stock
from tests.processes import wait_for, web, worker
from tests.uptime.releases import NoHistory, previous, unpack

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def old_code(tmp_path: Path) -> Path:
    """The previous release in a folder; the database is the test's, and so of this release."""
    try:
        return unpack(previous(), tmp_path / "previous")
    except NoHistory as exc:
        pytest.skip(f"no release before this one to run: {exc}")


def is_so(number: int, status: str) -> bool:
    return Order.objects.filter(pk=number, status=status, stock_state="clear").exists()


def test_old_web_serves_on_the_new_schema_beside_the_new_worker(
    old_code: Path, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 45})
    member = staff("manager")
    credential = {"Authorization": f"Api-Key {key_of(member)}"}

    with web(sandbox.url, code=old_code) as address, worker(sandbox.url):

        def call(method: str, path: str, **options: Any) -> requests.Response:
            return requests.request(
                method, f"{address}{path}", headers=credential, timeout=30, **options
            )

        def bring_to(status: str) -> int:
            return call("PATCH", f"{path}/status", json={"status": status}).status_code

        placed = requests.post(f"{address}/api/orders", json=body(), timeout=30)
        assert placed.status_code == 201, placed.text
        number, path = placed.json()["number"], f"/api/orders/{placed.json()['id']}"

        assert call("GET", path).json()["id"] == placed.json()["id"]
        assert [each["id"] for each in call("GET", "/api/orders").json()["data"]] == [
            placed.json()["id"]
        ]
        assert bring_to("CONFIRMED") in (200, 202)
        wait_for(lambda: is_so(number, "CONFIRMED"))
        assert stock(sandbox) == {"10": 43}

        sandbox.switches.update({"down": "503"})
        assert bring_to("CANCELLED") == 202  # what it took goes back later
        sandbox.switches.update({"down": ""})
        wait_for(lambda: is_so(number, "CANCELLED"))
        assert stock(sandbox) == {"10": 45}

        assert call("GET", f"{path}/events").status_code == 200
        assert call("GET", "/health/ready").status_code != 503, "it misses no migration"
        desk = Client()
        desk.force_login(member)
        session = {settings.SESSION_COOKIE_NAME: desk.session.session_key or ""}
        for page in ("", f"{number}/change/"):
            shown = requests.get(
                f"{address}/admin/orders/order/{page}",
                cookies=session,
                timeout=30,
                allow_redirects=False,
            )
            assert shown.status_code == 200, f"{page}: {shown.status_code}"


def test_old_worker_carries_out_what_the_new_web_has_left_to_it(
    old_code: Path, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 45})
    orders = [order_of(p10=2), order_of(p10=1)]
    lifecycle.confirm(orders[0].pk, actor=OPERATOR, hold=0)
    lifecycle.confirm_many([orders[1].pk], actor=OPERATOR)

    with worker(sandbox.url, code=old_code):
        wait_for(lambda: all(is_so(order.pk, "CONFIRMED") for order in orders))

    assert stock(sandbox) == {"10": 42}
