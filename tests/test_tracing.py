"""A trace is passed on to the inventory; where spans are wanted they arrive, without paths."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from uuid import UUID

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from inventory_client.sandbox.handler import Handler
from inventory_client.sandbox.server import Sandbox
from tests.api.calls import ORDERS, body
from tests.deploy.serving import served

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the traceparents that the sandbox is sent."""
    found: list[str] = []
    read = Handler._request

    def looked_at(self: Handler) -> object:
        found.append(self.headers.get("traceparent", ""))
        return read(self)

    monkeypatch.setattr(Handler, "_request", looked_at)
    return found


@contextmanager
def collector() -> Iterator[tuple[str, list[Span]]]:
    """Run a collector of spans on a socket; yield its address and what it has got."""
    spans: list[Span] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = ExportTraceServiceRequest()
            sent.ParseFromString(self.rfile.read(int(self.headers["Content-Length"])))
            for resource in sent.resource_spans:
                for scope in resource.scope_spans:
                    spans.extend(scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", spans
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("committed_db")
def test_trace_is_passed_on(tmp_path: Path, sandbox: Sandbox, heard: list[str]) -> None:
    sandbox.store.set_stock({"10": 5})
    with served(tmp_path / "log", INVENTORY_SERVICE_URL=sandbox.url, LOG_FORMAT="json") as server:
        for headers in ({"traceparent": TRACEPARENT}, {}):
            url = f"http://localhost:{server.port}{ORDERS}"
            assert requests.post(url, json=body(), headers=headers, timeout=30).status_code == 201
        with_trace, without = heard
        passed = re.fullmatch(rf"00-{TRACE}-([0-9a-f]{{16}})-01", with_trace)
        assert passed
        assert passed[1] != PARENT
        assert without == ""
        lines = [
            json.loads(line) for line in server.log.read_text().splitlines() if '"trace_id"' in line
        ]
        assert {line["trace_id"] for line in lines} == {TRACE}


@pytest.mark.usefixtures("committed_db")
def test_spans_arrive_and_tell_no_path(tmp_path: Path, sandbox: Sandbox, heard: list[str]) -> None:
    sandbox.store.set_stock({"10": 5})
    with collector() as (endpoint, spans):
        with served(
            tmp_path / "log",
            INVENTORY_SERVICE_URL=sandbox.url,
            OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
        ) as server:
            url = f"http://localhost:{server.port}{ORDERS}"
            placed = requests.post(
                url, json=body(), headers={"traceparent": TRACEPARENT}, timeout=30
            ).json()
            requests.get(f"{url}/{placed['id']}", timeout=30)
        # it has sent the rest as it ended
        ours = {span.name: span for span in spans if span.name != "GET health"}
        create, read = ours[f"POST {ORDERS[1:]}"], ours["GET api/orders/<str:order_id>"]
        check = ours["inventory check"]
        assert create.trace_id.hex() == check.trace_id.hex() == TRACE
        assert create.parent_span_id.hex() == PARENT
        assert check.parent_span_id == create.span_id
        assert read.trace_id != create.trace_id
        assert heard == [f"00-{TRACE}-{check.span_id.hex()}-01"]
        everything = " ".join(map(str, spans))
        assert placed["id"] not in everything
        assert UUID(placed["id"]).hex not in everything
        assert body()["email"] not in everything
