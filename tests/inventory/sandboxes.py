"""Small words for tests of the sandbox."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from typing import Any

from inventory_client import InventoryClient, InventoryError
from inventory_client.sandbox import Sandbox


def control(
    root_url: str, method: str, path: str, document: object = None, kind: str = "application/json"
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(root_url.removeprefix("http://").rstrip("/"), timeout=5)
    body = json.dumps(document) if document is not None else None
    connection.request(method, path, body=body, headers={"Content-Type": kind})
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def deduct(client: InventoryClient, key: str = "m") -> int:
    reason = f"order:1 movement:{key}"
    return client.adjust("10", -1, reason=reason, idempotency_key=key).quantity


def outcome(client: InventoryClient, key: str = "m") -> str:
    try:
        return f"applied {deduct(client, key)}"
    except InventoryError as exc:
        return f"{type(exc).__name__} {exc.code}"


def stock(sandbox: Sandbox, product_id: str = "10") -> int:
    item = sandbox.store.item(product_id)
    assert item is not None
    return item.quantity


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < until, "waited for 5 s"
        time.sleep(0.01)


def adjust_from_threads(sandbox: Sandbox, threads: int, each: int) -> int:
    client = InventoryClient(sandbox.url)
    start = threading.Barrier(threads)

    def work() -> None:
        start.wait()
        for _ in range(each):
            deduct(client)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return stock(sandbox)
