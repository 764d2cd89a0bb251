"""``check_inventory``: what it sees of an inventory that is well, ill, or not as configured."""

import pytest
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import StockMovement
from orders.stock import inventory
from tests.commands.running import run
from tests.factories import OPERATOR, order_of, stock

pytestmark = pytest.mark.usefixtures("committed_db")


def check(*arguments: str) -> tuple[int, list[str]]:
    outcome = run("check_inventory", *arguments)
    return outcome.code, outcome.out.splitlines()


@pytest.fixture(autouse=True)
def stocked(sandbox: Sandbox, settings: Settings) -> None:
    sandbox.store.set_stock({"10": 45})
    sandbox.switches.update({"honours_idempotency": False, "database_connected": True})
    settings.INVENTORY_HONOURS_IDEMPOTENCY = False


@pytest.mark.parametrize("dialect", ["inventory", "gateway"])
def test_check_of_a_healthy_inventory_is_fine_and_changes_nothing(
    sandbox: Sandbox, settings: Settings, dialect: str
) -> None:
    settings.INVENTORY_DIALECT = dialect
    settings.INVENTORY_SERVICE_URL = sandbox.gateway_url if dialect == "gateway" else sandbox.url
    inventory.client.cache_clear()
    order_of(p10=1)

    code, lines = check()

    assert code == 0
    assert lines[0].endswith(f"spoken to as '{dialect}'")
    assert lines[1:3] == [
        "ok   health: healthy, its database is connected",
        "ok   bulk check: the answer fits the dialect",
    ]
    assert lines[3].startswith("ok   product 10: 45 in stock, read 10 times, p50 ")
    assert "adjust" not in sandbox.calls()


def test_check_in_the_wrong_dialect_names_the_settings(
    sandbox: Sandbox, settings: Settings
) -> None:
    settings.INVENTORY_DIALECT = "gateway"
    inventory.client.cache_clear()
    code, lines = check("--product", "10")
    assert code == 1
    assert "FAIL product 10: not read (misconfigured" in lines[3]
    assert lines[3].endswith("see INVENTORY_SERVICE_URL, INVENTORY_DIALECT and INVENTORY_API_KEY")


def test_check_of_an_inventory_that_is_down_or_without_database_fails(sandbox: Sandbox) -> None:
    sandbox.switches.update({"database_connected": False})
    assert check("--product", "10")[1][1] == ("FAIL health: degraded, its database is disconnected")
    sandbox.switches.update({"down": "503"})
    code, lines = check("--product", "10")
    assert code == 1
    assert [line[:4] for line in lines] == ["ok  ", "FAIL", "FAIL", "FAIL"]


def test_check_without_any_product_asks_for_one(sandbox: Sandbox) -> None:
    code, lines = check()
    assert code == 1
    assert lines[-1] == "FAIL no product was ever ordered: name one with --product"


@pytest.mark.parametrize("configured", [False, True])
@pytest.mark.parametrize("honoured", [False, True])
def test_try_idempotency_measures_it_and_restores_the_stock(
    sandbox: Sandbox, settings: Settings, honoured: bool, configured: bool
) -> None:
    settings.INVENTORY_HONOURS_IDEMPOTENCY = configured
    sandbox.switches.update({"honours_idempotency": honoured})

    code, lines = check("--try-idempotency", "10")

    assert code == int(honoured != configured)
    added = 1 if honoured else 2
    assert lines[-3:-1] == [
        f"ok   product 10: added 1 twice under one key, 45 became {45 + added}",
        f"ok   product 10: {added} taken back",
    ]
    assert ("honoured, but INVENTORY_HONOURS_IDEMPOTENCY" in lines[-1]) == (honoured != configured)
    assert stock(sandbox) == {"10": 45}


def test_try_idempotency_of_a_moving_product_tries_nothing(sandbox: Sandbox) -> None:
    lifecycle.confirm(order_of(p10=1).pk, actor=OPERATOR, hold=0)
    StockMovement.objects.update(state="review")
    code, lines = check("--try-idempotency", "10")
    assert code == 1
    assert "nothing was tried" in lines[-1]
    assert "adjust" not in sandbox.calls()


@pytest.mark.parametrize(
    ("faults", "left", "said"),
    [
        (["500_before"], 45, "1 may have been added: look for key check-"),
        (["429"], 45, "adding 1 failed (throttled: Too Many Requests); nothing was changed"),
        ([None, "429"], 45, "1 taken back"),
        ([None, "500_after"], 47, "1 or 2 were added under key check-"),
        ([None, None, "500_before"], 47, "2 perhaps left there: look for key check-"),
        ([None, None, "429"], 47, "2 left there: look for key check-"),
        (["wrong_quantity"], 47, "somebody else moved product 10 meanwhile"),
    ],
)
def test_try_idempotency_that_fails_says_what_it_left(
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    faults: list[str | None],
    left: int,
    said: str,
) -> None:
    due = list(faults)

    def draw(operation: str, product_id: str) -> str | None:
        return due.pop(0) if operation == "adjust" and due else None

    monkeypatch.setattr(sandbox.faults, "draw", draw)
    code, lines = check("--try-idempotency", "10")
    assert code == 1
    assert said in "\n".join(lines)
    assert stock(sandbox) == {"10": left}
