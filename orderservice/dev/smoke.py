"""``python3 -m orderservice.dev.smoke URL``: has a running service what it takes to confirm orders?

Places an order with the API key in ``API_KEY``, has it confirmed, and says what went wrong. It
takes stock, which nobody gives back: meant for a service whose inventory is the sandbox.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 60.0  # seconds, until the service is ready, and until the order is confirmed
PAUSE = 0.5  # seconds, between two looks
DEADLINE = 10.0  # seconds, of a call

ORDER = {
    "fullName": "Smoke Test",
    "email": "smoke@example.com",
    "address": "1 Test Street",
    "city": "Springfield",
    "zipCode": "12345",
    "items": [{"productId": "10", "quantity": 1, "price": 50.00}],
}


class Failed(Exception):
    """The service did not do what it should; says what it did."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running service, and the key that it is called with."""

    url: str
    key: str

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return the status and the body of an answer; raise `Failed` when there is none."""
        parts = urlsplit(self.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.netloc, timeout=DEADLINE)
        headers = {"Authorization": f"Api-Key {self.key}", "Content-Type": "application/json"}
        try:
            connection.request(
                method, path, None if body is None else json.dumps(body), headers=headers
            )
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or "null")
        except (OSError, HTTPException, ValueError) as exc:
            raise Failed(f"{method} {path.split('?')[0]}: {exc or type(exc).__name__}") from exc
        finally:
            connection.close()


def main(arguments: Sequence[str] | None = None, patience: float = PATIENCE) -> int:
    """Return 0 when the order was confirmed, 1 when anything went wrong."""
    parser = argparse.ArgumentParser(
        prog="python3 -m orderservice.dev.smoke",
        description="Place an order with the key in API_KEY, and have it confirmed.",
    )
    parser.add_argument("url", help="where the service is, as http://localhost:3000")
    service = Service(parser.parse_args(arguments).url, os.environ.get("API_KEY", ""))
    try:
        number, took = _confirmed(service, patience)
    except Failed as exc:
        sys.stderr.write(f"smoke: {exc}\n")
        return 1
    sys.stdout.write(f"smoke: order {number} confirmed after {took:.1f} s\n")
    return 0


def _confirmed(service: Service, patience: float) -> tuple[str, float]:
    """Return the number of an order of ours, and the seconds from its placing to its end."""
    _wait_until_ready(service, patience)
    started = time.monotonic()
    status, order = service.call("POST", "/api/orders", ORDER)
    if status != 201:
        raise Failed(f"placing an order got {status}: {order}")
    at = f"/api/orders/{order['id']}"
    status, answer = service.call("PATCH", f"{at}/status", {"status": "CONFIRMED"})
    if status not in (200, 202):
        raise Failed(f"confirming order {order['number']} got {status}: {answer}")
    while (answer["status"], answer["stock"]["state"]) != ("CONFIRMED", "clear"):
        if time.monotonic() - started > patience:
            now = f"{answer['status']}, its stock {answer['stock']['state']}"
            raise Failed(f"order {order['number']} is {now}")
        time.sleep(PAUSE)
        status, answer = service.call("GET", at)
        if status != 200:
            raise Failed(f"reading order {order['number']} got {status}: {answer}")
    return order["number"], time.monotonic() - started


def _wait_until_ready(service: Service, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            status, answer = service.call("GET", "/health/ready")
            if status == 200 and answer["status"] == "ok":
                return
            seen = f"{status}: {answer}"
        except Failed as exc:
            seen = str(exc)
        if time.monotonic() > deadline:
            raise Failed(f"not ready: {seen}")
        time.sleep(PAUSE)


if __name__ == "__main__":
    sys.exit(main())
