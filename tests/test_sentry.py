"""Errors arrive at Sentry with their stack and the request's id, and without anybody's data."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import brotli
import pytest

from tests.processes import ROOT, database_url
from tests.refused import CONSTRAINT, EMAIL, NAME, refused, tells_only_names

DECODE = {"br": brotli.decompress, "gzip": gzip.decompress}  # the one if brotli is there

# A process of its own, for Sentry cannot be taken out of one again. It serves a request that fails,
# calls the inventory, and ends by an error that nobody catches.
FAILING = """
import django
django.setup()
from contextlib import suppress
from unittest.mock import patch
import structlog
from django.template import Context, Template
from django.test import Client
from inventory_client import InventoryError
from orders.stock import inventory
from tests.refused import EMAIL, place
structlog.get_logger("quiet").warning("not an error")
with patch("orders.queries.find", side_effect=lambda *_, **__: place()):
    answer = Client(raise_request_exception=False).get(
        "/api/orders/0b0e7d1c-0000-4000-8000-c0ffee5eed00", headers={"X-Request-ID": "known-here"})
print(answer.status_code)
structlog.get_logger("x").error("stock_lost", order=100042)
try:
    Template("{{ order.name|default:order.misspelt }}").render(Context({"order": {"email": EMAIL}}))
except Exception:
    structlog.get_logger("x").exception("page_failed")
with suppress(InventoryError):
    inventory.ping()
place()
"""


@dataclass
class Heard:
    """What has come to a socket: Sentry's events, and the headers of calls to an inventory."""

    address: str
    events: list[Any] = field(default_factory=list)
    calls: list[set[str]] = field(default_factory=list)


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Run what Sentry's clients talk to, and the inventory's client, on a socket."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            sent = DECODE[self.headers["Content-Encoding"]](sent)
            _, *items = sent.split(b"\n")
            for header, item in zip(items[::2], items[1::2], strict=False):
                if json.loads(header)["type"] == "event":
                    found.events.append(json.loads(item))
            self._answer(200)

        def do_GET(self) -> None:
            found.calls.append({name.lower() for name in self.headers})
            self._answer(404)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    found = Heard(f"127.0.0.1:{server.server_port}")
    Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("committed_db")
def test_errors_arrive_without_anybody_s_data(heard: Heard) -> None:
    """Not in a row that was refused, not in a command's arguments, not in a path."""
    variables = {
        "DJANGO_SETTINGS_MODULE": "orderservice.settings",
        "DATABASE_URL": database_url(),
        "SENTRY_DSN": f"http://key@{heard.address}/1",
        "INVENTORY_SERVICE_URL": f"http://{heard.address}/api/v1",
        "ALLOWED_HOSTS": "testserver",
    }
    with refused():
        done = subprocess.run(
            [sys.executable, "-c", FAILING, EMAIL],
            cwd=ROOT,
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.stdout.strip(), done.returncode) == ("500", 1), done.stderr
    failed, lost, page, uncaught = heard.events
    assert failed["tags"]["request_id"] == "known-here"
    for event in (failed, uncaught):
        *_, inner, outer = event["exception"]["values"]
        assert (inner["type"], outer["type"]) == ("CheckViolation", "IntegrityError")
        assert outer["value"] == f"SQLSTATE 23514, constraint {CONSTRAINT}, table orders_order"
        assert any("refused.py" in frame["filename"] for frame in outer["stacktrace"]["frames"])
    assert (lost["message"], lost["tags"]["order"]) == ("stock_lost", "100042")
    *_, kind = page["exception"]["values"]
    assert (kind["type"], kind["value"]) == ("VariableDoesNotExist", "")
    told = json.dumps(heard.events)
    for secret in (NAME, EMAIL, "c0ffee5eed", "vars", "sys.argv"):
        assert secret not in told
    tells_only_names(done.stderr)
    assert "Sentry is attempting" not in done.stderr
    [headers] = heard.calls
    assert not headers & {"sentry-trace", "baggage", "traceparent"}


def test_without_their_variables_nothing_of_them_is_loaded() -> None:
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import django, sys; django.setup(); import orderservice.wsgi\n"
            "print([name for name in ('sentry_sdk', 'opentelemetry') if name in sys.modules])",
        ],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "orderservice.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.strip() == "[]"
