"""Canaries: what must never be in a log line or in a call to another service, in any test.

Orders get ids that end alike, and people, addresses and credentials are those of the factories and
of the calls. Every line that is logged, at the level of production, and every call that leaves
through the one way out are looked at; a test that lets a canary out fails.
"""

import logging
import re
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
import structlog

from inventory_client.wire import Wire
from orders.models import Order

ID_ENDS = "c0ffee5eed01"
CANARIES = {
    "an order's id": re.compile(ID_ENDS),
    "an e-mail": re.compile(r"@example\.(com|org)"),
    "a name": re.compile(r"John Doe"),
    "an address": re.compile(r"123 Main St"),
    "a password": re.compile(r"correct horse"),
    "a token": re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}"),
    "an API key": re.compile(r"\b[0-9A-Za-z]{8}\.[0-9A-Za-z]{32}\b"),
}


def order_id() -> uuid.UUID:
    """Return an order's id that can be recognized wherever it turns up."""
    return uuid.UUID(uuid.uuid4().hex[: -len(ID_ENDS)] + ID_ENDS)


class Watch(logging.Handler):
    """Reads what is logged and what is sent, and remembers the canaries in it."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=[structlog.processors.format_exc_info],
                processors=[
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(default=str),
                ],
            )
        )
        self.leaks: list[str] = []
        self.lines = self.calls = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Read a line of the log."""
        self.lines += 1
        self.look(self.format(record), f"logged by {record.name}")

    def look(self, text: str, where: str) -> None:
        """Remember each canary in a text."""
        self.leaks += [
            f"{what} is {where}: {text[:500]}"
            for what, canary in CANARIES.items()
            if canary.search(text)
        ]


@pytest.fixture(scope="session")
def watch() -> Iterator[Watch]:
    """Watch over the whole run."""
    watching, root, send = Watch(), logging.getLogger(), Wire.exchange

    def exchange(self: Wire, method: str, url: str, **call: Any) -> Any:
        watching.calls += 1
        sent = f"{method} {url} {call.get('headers')} {call.get('body')!r}"
        watching.look(unquote(sent), "sent")
        return send(self, method, url, **call)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Order._meta.get_field("public_id"), "default", order_id)
        patch.setattr(Order._meta.get_field("public_id"), "_get_default", order_id)
        patch.setattr(Wire, "exchange", exchange)
        for handler in root.handlers:  # what is printed stays as quiet as it was
            patch.setattr(handler, "level", max(handler.level, root.level))
        patch.setattr(root, "level", logging.INFO)
        logging.getLogger().manager._clear_cache()  # type: ignore[attr-defined] # of levels
        root.addHandler(watching)
        yield watching
        root.removeHandler(watching)


@pytest.fixture(autouse=True)
def no_canary_gets_out(watch: Watch) -> Iterator[None]:
    """Fail the test that let a canary out."""
    watch.leaks.clear()
    yield
    assert watch.leaks == []
