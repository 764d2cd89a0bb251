"""The sandbox's control endpoints, its page, and its process."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inventory_client import InventoryClient
from inventory_client.sandbox import Sandbox
from inventory_client.sandbox.control import DEMO_STOCK
from tests.inventory.sandboxes import (
    control,
    deduct,
    stock,
)

ROOT = Path(__file__).parents[2]


def test_control_sets_removes_and_lists_stock(sandbox: Sandbox) -> None:
    status, found = control(
        sandbox.root_url, "PUT", "/_sandbox/stock", {"10": 4, "11": 5, "3": None}
    )

    assert (status, found) == (200, {"10": 4, "11": 5})
    assert control(sandbox.root_url, "GET", "/_sandbox/stock") == (200, found)


def test_control_pages_through_the_effects(sandbox: Sandbox) -> None:
    client = InventoryClient(sandbox.url)
    for key in ("m1", "m2", "m3"):
        deduct(client, key)
    _, first = control(sandbox.root_url, "GET", "/_sandbox/effects?limit=2")
    after = first["effects"][-1]["id"]
    _, rest = control(sandbox.root_url, "GET", f"/_sandbox/effects?after={after}&product_id=10")

    found = first["effects"] + rest["effects"]
    assert [effect["movement_id"] for effect in found] == ["m1", "m2", "m3"]
    assert [(effect["quantity_read"], effect["quantity_written"]) for effect in found] == [
        (10, 9),
        (9, 8),
        (8, 7),
    ]
    assert {effect["delta"] for effect in found} == {-1}


def test_control_resets_to_the_demo_stock(sandbox: Sandbox) -> None:
    deduct(InventoryClient(sandbox.url))
    sandbox.faults.script("500_before")

    status, found = control(sandbox.root_url, "POST", "/_sandbox/reset", {})
    _, state = control(sandbox.root_url, "GET", "/_sandbox/state")

    assert (status, found) == (200, DEMO_STOCK)
    assert (found["10"], len(found)) == (45, 20)
    assert (state["effects"], state["faults"]["scripted"], state["calls"]) == ([], [], {})


@pytest.mark.parametrize(
    ("method", "path", "document", "status"),
    [
        ("PUT", "switches", {"down": "maybe"}, 400),
        ("PUT", "switches", {"latency_ms": -1}, 400),
        ("PUT", "switches", {"latency_ms": "5"}, 400),
        ("PUT", "switches", {"colour": 1}, 400),
        ("PUT", "faults", {"probabilities": {"flood": 0.1}}, 400),
        ("PUT", "faults", {"probabilities": {"429": 0.6, "307": 0.6}}, 400),
        ("PUT", "faults", {"operations": ["delete"]}, 400),
        ("PUT", "faults", {"colour": 1}, 400),
        ("POST", "script", {"fault": "flood"}, 400),
        ("PUT", "stock", {"10": -1}, 400),
        ("PUT", "stock", {"10": "5"}, 400),
        ("POST", "refuse", [], 400),
        ("DELETE", "stock", None, 404),
    ],
)
def test_control_with_a_mistake_says_so_and_changes_nothing(
    sandbox: Sandbox, method: str, path: str, document: object, status: int
) -> None:
    _, before = control(sandbox.root_url, "GET", "/_sandbox/state")

    answer = control(sandbox.root_url, method, f"/_sandbox/{path}", document)

    assert answer[0] == status
    assert control(sandbox.root_url, "GET", "/_sandbox/state") == (200, before)


def test_control_from_a_form_of_another_site_is_refused(sandbox: Sandbox) -> None:
    status, _ = control(
        sandbox.root_url, "POST", "/_sandbox/reset", {"stock": {}}, kind="text/plain"
    )

    assert (status, stock(sandbox)) == (400, 10)


def test_page_is_self_contained_and_named(sandbox: Sandbox) -> None:
    connection = http.client.HTTPConnection(sandbox.root_url.removeprefix("http://"))
    connection.request("GET", "/")
    response = connection.getresponse()
    page = response.read().decode()

    assert (response.status, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "<title>Inventory sandbox</title>" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


# The process.


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Any]:
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "inventory_client.sandbox",
                "--port=0",
                f"--data={tmp_path / 'stock.sqlite3'}",
                *arguments,
            ],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        processes.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Inventory sandbox on http://127.0.0.1:")
        return process, line.split()[3].rstrip("/")

    yield start
    for process in processes:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_command_killed_and_restarted_keeps_stock_and_effects(command: Any) -> None:
    process, url = command()
    assert control(url, "GET", "/_sandbox/stock") == (200, DEMO_STOCK)
    left = deduct(InventoryClient(f"{url}/api/v1"))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    _, url = command()

    _, found = control(url, "GET", "/_sandbox/effects")
    assert left == 44
    assert control(url, "GET", "/_sandbox/stock") == (200, {**DEMO_STOCK, "10": 44})
    assert [effect["delta"] for effect in found["effects"]] == [-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command_signalled_stops_cleanly(command: Any, number: signal.Signals) -> None:
    process, url = command("--empty")
    assert control(url, "GET", "/_sandbox/stock") == (200, {})

    process.send_signal(number)

    assert process.wait(timeout=5) == 0
    assert process.stdout.read() == ""
