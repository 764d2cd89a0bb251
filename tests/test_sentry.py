"""Errors arrive at Sentry with their stack and the request's id, and without anybody's data."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import brotli
import pytest

from tests.processes import ROOT, database_url

DECODE = {"br": brotli.decompress, "gzip": gzip.decompress}  # the one if brotli is there

# A process of its own, for Sentry cannot be taken out of one again. It serves a request that fails.
FAILING = """
import django
django.setup()
from unittest.mock import patch
import sentry_sdk, structlog
from django.db import IntegrityError
from django.test import Client
structlog.get_logger("quiet").warning("not an error")
secret = "john@example.com"
with patch("orders.queries.find", side_effect=IntegrityError(f"Key (email)=({secret}) exists")):
    answer = Client(raise_request_exception=False).get(
        "/api/orders/0b0e7d1c-0000-4000-8000-c0ffee5eed00", headers={"X-Request-ID": "known-here"})
structlog.get_logger("x").error("stock_lost", order=100042)
sentry_sdk.flush()
print(answer.status_code)
"""


@pytest.fixture
def received() -> Iterator[tuple[str, list[Any]]]:
    """Run what Sentry's clients talk to, on a socket; yield its DSN and the events that it got."""
    events: list[Any] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            sent = DECODE[self.headers["Content-Encoding"]](sent)
            _, *items = sent.split(b"\n")
            for header, item in zip(items[::2], items[1::2], strict=False):
                if json.loads(header)["type"] == "event":
                    events.append(json.loads(item))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://key@127.0.0.1:{server.server_port}/1", events
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("committed_db")
def test_errors_arrive_without_anybody_s_data(received: tuple[str, list[Any]]) -> None:
    dsn, events = received
    variables = {"DJANGO_SETTINGS_MODULE": "orderservice.settings", "DATABASE_URL": database_url()}
    done = subprocess.run(
        [sys.executable, "-c", FAILING],
        cwd=ROOT,
        env=os.environ | variables | {"SENTRY_DSN": dsn, "ALLOWED_HOSTS": "testserver"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "500"
    failed, lost = events
    assert failed["tags"]["request_id"] == "known-here"
    [*_, exception] = failed["exception"]["values"]
    assert exception["type"] == "IntegrityError"
    assert any("views.py" in frame["filename"] for frame in exception["stacktrace"]["frames"])
    assert (lost["message"], lost["tags"]["order"]) == ("stock_lost", "100042")
    everything = json.dumps(events)
    for secret in ("john@example.com", "c0ffee5eed", "vars"):
        assert secret not in everything


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
