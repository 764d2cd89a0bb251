"""An order's id is in no log line, whatever is asked for with it and however that ends."""

import io
import json
import logging
import uuid
from collections.abc import Iterator

import pytest
import structlog
from django.db import OperationalError, connection
from django.test import Client

from orders import queries
from orderservice.observability import configure_logging
from tests.factories import order_of, user
from tests.tracking.visits import SIGN_IN, owned, path, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Log as production does, all that there is, to where the test can read it."""
    root = logging.getLogger()
    handlers, level, before = root.handlers, root.level, structlog.get_config()
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    configure_logging(level="DEBUG", json=True)
    # What Django logs of SQL in development shows the parameters of each statement.
    monkeypatch.setattr(logging.getLogger("django.db.backends"), "disabled", True)
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    structlog.configure(**before)


def test_id_is_in_no_log_line(lines: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    guests, others, absent = order_of(p10=1), owned(), uuid.uuid4()
    ids = [str(guests.public_id), str(others.public_id), str(absent)]
    visitors = [
        Client(enforce_csrf_checks=True, raise_request_exception=False),
        signed_in(user()),
    ]
    for client in visitors:
        for each in ids:
            for tail in ("", "/", "?sign-in", "/x", "/sign-in", "%00", "//"):
                client.get(f"/track/{each}{tail}")
            client.get(f"/track//{each}")
            for method in ("HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
                client.generic(method, f"/track/{each}")
                client.generic(method, f"/track/{each}/x")
            client.get(f"{SIGN_IN}?next=/track/{each}")
            form = {"username": "kim", "password": "wrong", "next": f"/track/{each}"}
            client.post(SIGN_IN, form)

    def down(*args: object) -> None:
        raise OperationalError("away")

    def fail(*args: object, **options: object) -> None:
        raise RuntimeError

    with connection.execute_wrapper(down):
        visitors[0].get(path(guests))
    monkeypatch.setattr(queries, "find", fail)
    visitors[0].get(path(guests))

    written = lines.getvalue()
    routes = {json.loads(line).get("route") for line in written.splitlines()}
    assert {"track/<str:order_id>", "track/<str:order_id>/", "track/sign-in"} <= routes
    for kind in ("database_unavailable", "unhandled"):
        assert kind in written
    assert [each for each in ids if each in written] == []
