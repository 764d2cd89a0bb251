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
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from inventory_client.sandbox.handler import Handler
from inventory_client.sandbox.server import Sandbox
from orderservice import spans
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
def collector() -> Iterator[tuple[str, list[Span], set[str]]]:
    """Run a collector on a socket; yield its address, the spans that it got, and whose they are."""
    found: list[Span] = []
    services: set[str] = set()

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = ExportTraceServiceRequest()
            sent.ParseFromString(self.rfile.read(int(self.headers["Content-Length"])))
            for resource in sent.resource_spans:
                names = {each.key: each.value.string_value for each in resource.resource.attributes}
                services.add(names["service.name"])
                for scope in resource.scope_spans:
                    found.extend(scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", found, services
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
    with collector() as (endpoint, sent, services):
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
            sandbox.faults.script(fault="500_before", operation="check")
            assert requests.post(url, json=body(), timeout=30).status_code == 503
        # it has sent the rest as it ended
        assert services == {"order-service"}
        [read] = [span for span in sent if span.name == "GET api/orders/<str:order_id>"]
        create, refused = [span for span in sent if span.name == f"POST {ORDERS[1:]}"]
        check, failed = [span for span in sent if span.name == "inventory check"]
        assert create.trace_id.hex() == check.trace_id.hex() == TRACE
        assert create.parent_span_id.hex() == PARENT
        assert check.parent_span_id == create.span_id
        assert read.trace_id != create.trace_id
        assert heard[0] == f"00-{TRACE}-{check.span_id.hex()}-01"
        assert (check.status.code, read.status.code) == (Status.STATUS_CODE_UNSET,) * 2
        assert (failed.status.code, refused.status.code) == (Status.STATUS_CODE_ERROR,) * 2
        assert (failed.status.message, refused.status.message) == ("server_error", "")
        assert [len(span.events) for span in (failed, refused)] == [0, 0]
        everything = " ".join(map(str, sent))
        assert placed["id"] not in everything
        assert UUID(placed["id"]).hex not in everything
        assert body()["email"] not in everything


@pytest.mark.parametrize("variable", ["OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"])
def test_spans_have_the_name_that_opentelemetry_s_variables_say(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = "shop" if variable == "OTEL_SERVICE_NAME" else "service.name=shop,region=east"
    monkeypatch.setenv(variable, value)
    assert spans._ourselves().attributes["service.name"] == "shop"
