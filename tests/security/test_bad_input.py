"""Malformed requests by the hundred, to a gunicorn; ``make bad-input`` sends thousands."""

import os
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles

import pytest

from inventory_client.sandbox.server import Sandbox
from orders.models import Order
from tests.api.calls import key_of
from tests.deploy.serving import served
from tests.deploy.slow import HOST, read_all
from tests.factories import staff
from tests.security.malformed import Case, cases

CASES = int(os.environ.get("BAD_INPUT_CASES", "600"))


@pytest.mark.usefixtures("committed_db")
def test_bad_input_of_every_kind_is_refused_without_a_fault(
    tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.store.set_stock({"10": 100_000})
    key = key_of(staff("manager"))
    with served(
        tmp_path / "log", INVENTORY_SERVICE_URL=sandbox.url, API_THROTTLES="off", WEB_THREADS="4"
    ) as server:

        def send(case: Case) -> tuple[Case, int, float]:
            started = time.monotonic()
            with socket.create_connection((HOST, server.port), timeout=30) as connection:
                connection.sendall(case.sent(key))
                connection.shutdown(socket.SHUT_WR)
                answer = read_all(connection)
            status = int(answer.split()[1]) if answer.startswith(b"HTTP/") else 0
            return case, status, time.monotonic() - started

        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(send, cases(CASES)))
        log = server.log.read_text()

    statuses = Counter(status for _, status, _ in done)
    seconds = [taken for _, status, taken in done if status >= 400]
    with capsys.disabled():
        if "BAD_INPUT_CASES" in os.environ:
            kinds = Counter(case.kind for case, _, _ in done)
            print(_report(statuses, kinds, seconds))  # noqa: T201 (what was asked for)
    assert [(case, status) for case, status, _ in done if status >= 500] == []
    assert "unhandled" not in log
    assert "Traceback" not in log
    fine = sum(status == 201 for _, status, _ in done)
    assert Order.objects.count() == fine


def _report(statuses: Counter[int], kinds: Counter[str], seconds: list[float]) -> str:
    faults = sum(count for status, count in statuses.items() if status >= 500)
    each = ", ".join(f"{status or 'closed'} {count}" for status, count in sorted(statuses.items()))
    of = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    return (
        f"\n{statuses.total():,} malformed requests: {of}\nstatuses: {each}\n5xx: {faults}\n"
        f"time to refuse: median {1000 * median(seconds):.1f} ms,"
        f" p99 {1000 * quantiles(seconds, n=100)[98]:.1f} ms"
    )
