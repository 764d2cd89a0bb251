"""The sandbox's own promises: its race, its faults, its switches."""

from __future__ import annotations

import time

import pytest

from inventory_client import InventoryClient, InventoryError
from inventory_client.sandbox import Sandbox
from tests.inventory.sandboxes import (
    adjust_from_threads,
    control,
    deduct,
    outcome,
    stock,
    wait_until,
)

# The race.


def test_adjust_concurrently_loses_updates_that_were_answered_200(sandbox: Sandbox) -> None:
    sandbox.reset({"10": 1000})
    sandbox.switches.update({"race_window_ms": 5})

    left = adjust_from_threads(sandbox, threads=10, each=10)

    assert len(sandbox.store.effects()) == 100
    assert left > 900


def test_adjust_serially_loses_none(sandbox: Sandbox) -> None:
    sandbox.reset({"10": 1000})
    sandbox.switches.update({"race_window_ms": 5})

    assert adjust_from_threads(sandbox, threads=1, each=50) == 950


def test_adjust_concurrently_with_little_stock_accepts_more_than_there_is(
    sandbox: Sandbox,
) -> None:
    sandbox.reset({"10": 1})
    sandbox.switches.update({"race_window_ms": 50})

    assert adjust_from_threads(sandbox, threads=4, each=1) == 0
    assert len(sandbox.store.effects()) == 4


# The faults: what the client says, and what is true.

FAULTS = [
    ("500_before", "OutcomeUnknown server_error", 10),
    ("503_before", "OutcomeUnknown server_error", 10),
    ("reset_before", "OutcomeUnknown connection_lost", 10),
    ("hang", "OutcomeUnknown timeout", 10),
    ("307", "Rejected redirected", 10),
    ("429", "NotYet throttled", 10),
    ("500_after", "OutcomeUnknown server_error", 9),
    ("reset_after", "OutcomeUnknown connection_lost", 9),
    ("slow_loris", "OutcomeUnknown timeout", 9),
    ("truncated", "OutcomeUnknown connection_lost", 9),
    ("malformed_json", "OutcomeUnknown bad_answer", 9),
    ("wrong_product", "OutcomeUnknown bad_answer", 9),
    ("wrong_quantity", "applied 1009", 9),
    ("string_quantity", "OutcomeUnknown bad_answer", 9),
    ("oversized", "OutcomeUnknown oversized_answer", 9),
]


@pytest.mark.parametrize("dialect", ["inventory", "gateway"])
@pytest.mark.parametrize(("fault", "said", "left"), FAULTS)
def test_adjust_with_a_scripted_fault_is_told_as_what_the_client_can_know(
    sandbox: Sandbox, dialect: str, fault: str, said: str, left: int
) -> None:
    url = sandbox.url if dialect == "inventory" else sandbox.gateway_url
    client = InventoryClient(url, dialect=dialect, timeout=0.3)
    sandbox.faults.script(fault, product_id="10")
    if dialect == "gateway" and fault in ("307", "429"):
        said = "OutcomeUnknown unexpected_status"

    assert outcome(client) == said
    assert stock(sandbox) == left
    assert [effect["movement_id"] for effect in sandbox.store.effects()] == ["m"] * (10 - left)
    assert sandbox.faults.report()["served"] == {fault: 1}
    assert outcome(InventoryClient(sandbox.url), "next") == f"applied {left - 1}"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("late_apply", "OutcomeUnknown timeout"),
        ("late_dead", "OutcomeUnknown connection_lost"),
    ],
)
def test_adjust_with_a_late_fault_lands_after_the_client_gave_up(
    sandbox: Sandbox, fault: str, said: str
) -> None:
    sandbox.faults.configure({"late_seconds": 0.4})
    sandbox.faults.script(fault)

    assert outcome(InventoryClient(sandbox.url, timeout=0.2)) == said
    assert stock(sandbox) == 10
    wait_until(lambda: stock(sandbox) == 9)
    wait_until(lambda: sandbox.late == 0)


def test_adjust_with_latency_is_applied_late_and_answered(sandbox: Sandbox) -> None:
    sandbox.faults.configure({"seed": 1, "latency_max": 0.2})
    sandbox.faults.script("latency")

    assert outcome(InventoryClient(sandbox.url)) == "applied 9"


def test_script_for_another_product_leaves_this_one_alone(sandbox: Sandbox) -> None:
    sandbox.faults.script("500_before", product_id="3")

    assert outcome(InventoryClient(sandbox.url)) == "applied 9"


def test_draw_with_the_same_seed_gives_the_same_faults(sandbox: Sandbox) -> None:
    settings = {"seed": 7, "probabilities": {"500_after": 0.3, "reset_before": 0.2}}

    def draws() -> list[str | None]:
        sandbox.faults.configure(settings)
        return [sandbox.faults.draw("adjust", "10") for _ in range(200)]

    first = draws()

    assert first == draws()
    assert set(first) == {"500_after", "reset_before", None}
    assert sandbox.faults.draw("read", "10") is None


def test_read_and_check_by_chance_fail_only_when_named(sandbox: Sandbox) -> None:
    client = InventoryClient(sandbox.url)
    sandbox.faults.configure({"probabilities": {"500_before": 1.0}})
    assert client.read("10").quantity == 10
    sandbox.faults.configure(
        {"probabilities": {"500_before": 1.0}, "operations": ["read", "check"]}
    )

    for call in (lambda: client.read("10"), lambda: client.check({"10": 1})):
        with pytest.raises(InventoryError, match=r"^server_error"):
            call()
    assert outcome(client) == "applied 9"


# The switches.


def test_adjust_twice_with_one_key_is_applied_once_when_keys_are_honoured(
    sandbox: Sandbox,
) -> None:
    sandbox.switches.update({"honours_idempotency": True})
    client = InventoryClient(sandbox.url)

    assert [deduct(client, "m1"), deduct(client, "m1"), deduct(client, "m2")] == [9, 9, 8]
    assert [effect["idempotency_key"] for effect in sandbox.store.effects()] == ["m1", "m2"]


def test_adjust_at_once_with_one_key_is_applied_once_when_keys_are_honoured(
    sandbox: Sandbox,
) -> None:
    sandbox.switches.update({"honours_idempotency": True, "race_window_ms": 20})

    assert adjust_from_threads(sandbox, threads=6, each=1) == 9
    assert len(sandbox.store.effects()) == 1


@pytest.mark.parametrize(
    ("down", "said"),
    [("503", "OutcomeUnknown server_error"), ("reset", "OutcomeUnknown connection_lost")],
)
def test_adjust_while_down_changes_nothing(sandbox: Sandbox, down: str, said: str) -> None:
    status, _ = control(sandbox.root_url, "PUT", "/_sandbox/switches", {"down": down})

    assert (status, outcome(InventoryClient(sandbox.url))) == (200, said)
    assert stock(sandbox) == 10


def test_refuse_makes_connections_fail_until_the_time_is_over() -> None:
    with Sandbox(stock={"10": 10}) as sandbox:
        client = InventoryClient(sandbox.url)
        assert deduct(client) == 9
        answer = control(sandbox.root_url, "POST", "/_sandbox/refuse", {"seconds": 0.5})
        time.sleep(0.2)

        assert answer == (200, {"refused_for": 0.5})
        assert outcome(client) == "NotYet connect_failed"
        time.sleep(0.6)
        assert outcome(client) == "applied 8"
