"""The sandbox against the recorded contract, case by case over a socket."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

import pytest

from inventory_client.sandbox import Sandbox
from tests.inventory.contract_cases import CASES, GATEWAY_CASES, REACHABLE, Case


def stock_of(sandbox: Sandbox) -> dict[str, int]:
    return {item.product_id: item.quantity for item in sandbox.store.items(offset=0, limit=100)}


def connect(sandbox: Sandbox) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(sandbox.root_url.removeprefix("http://"), timeout=10)


def replay(connection: http.client.HTTPConnection, case: Case) -> tuple[int, Any, Any]:
    headers = {"Content-Type": case.content_type, **case.headers}
    for _ in range(case.times):
        connection.request(case.method, case.path, body=case.body or None, headers=headers)
        response = connection.getresponse()
        content = response.read()
    document = json.loads(content) if content else None
    return response.status, document, response.headers


@pytest.mark.parametrize("case", CASES + GATEWAY_CASES, ids=lambda case: case.name)
def test_replay_a_measured_case_answers_and_moves_stock_as_recorded(
    sandbox: Sandbox, case: Case
) -> None:
    status, document, headers = replay(connect(sandbox), case)

    assert (status, document) == (case.status, case.document)
    assert stock_of(sandbox) == case.stock
    assert len(headers["x-trace-id"]) == 32


@pytest.mark.parametrize("cases", REACHABLE, ids=lambda cases: cases[0].name)
def test_replay_an_unusual_id_percent_encoded_reaches_its_product(
    sandbox: Sandbox, cases: list[Case]
) -> None:
    connection = connect(sandbox)

    for case in cases:
        status, document, _ = replay(connection, case)
        assert (status, document, stock_of(sandbox)) == (case.status, case.document, case.stock)


def test_replay_a_trailing_slash_names_the_path_without_it(sandbox: Sandbox) -> None:
    case = next(case for case in CASES if case.name == "trailing slash")

    _, _, headers = replay(connect(sandbox), case)

    assert headers["location"] == f"{sandbox.url}/inventory/items/10/adjust"


def test_replay_health_without_a_database_still_answers_200(sandbox: Sandbox) -> None:
    sandbox.switches.update({"database_connected": False})
    case = next(case for case in CASES if case.name == "health")

    status, document, _ = replay(connect(sandbox), case)

    assert (status, document["status"], document["database"]) == (200, "degraded", "disconnected")


def test_reuse_a_connection_idle_for_5_seconds_is_lost_without_an_answer(sandbox: Sandbox) -> None:
    connection = connect(sandbox)
    read = next(case for case in CASES if case.name == "read")
    assert replay(connection, read)[0] == 200
    idle_from = time.monotonic()
    assert connection.sock.recv(1) == b""  # blocks until the sandbox says goodbye
    idle_for = time.monotonic() - idle_from

    with pytest.raises(ConnectionError):
        replay(connection, read)
    assert 4.5 < idle_for < 6
