"""The canary: no test may let an order's id, a person or a credential out.

A plugin of pytest. Each order's public id ends in `MARK`, so that it is known wherever it turns up;
people are known by the tests' own names for them, credentials by their shape. Whatever the root
handler would write at INFO, and whatever the inventory sandbox receives, is looked at, in every
test.
"""

import logging
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

MARK = "c0ffee5eed"  # the last digits of each order's public id
SECRETS = re.compile(
    rf"{MARK}"
    r"|@example\.(?:com|org)|123 Main St|John Doe|correct horse"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"  # a token
    r"|\b[0-9A-Za-z]{8}\.[0-9A-Za-z]{32}\b"  # an API key
)
_found: list[str] = []
_everything: list[list[str]] = []


class _Listener(logging.Handler):
    """Writes each record as the root handler does, and keeps what a secret stands in."""

    def emit(self, record: logging.LogRecord) -> None:
        for handler in logging.getLogger().handlers:
            if type(handler) is logging.StreamHandler:
                line = handler.format(record)
                break
        else:
            line = record.getMessage()
        look_at(line, "a log line")
        for lines in _everything:
            lines.append(line)


def look_at(text: str, where: str) -> None:
    """Remember a text that holds a secret, for the test to fail."""
    if match := SECRETS.search(text):
        _found.append(f"{match[0]} in {where}: {text[:500]}")


@contextmanager
def written() -> Iterator[list[str]]:
    """Collect every line that is logged meanwhile, at any level."""
    lines: list[str] = []
    root = logging.getLogger()
    level = root.level
    _everything.append(lines)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.setLevel(level)
        _everything.remove(lines)


def heard() -> list[str]:
    """Return what has been heard so far in this test, and forget it."""
    found = list(_found)
    _found.clear()
    return found


def marked() -> uuid.UUID:
    """Return a random id of version 4 that ends in the mark."""
    return uuid.UUID(f"{uuid.uuid4()!s}"[: -len(MARK)] + MARK)


def _listen_to_the_sandbox() -> None:
    from inventory_client.sandbox.handler import Handler  # noqa: PLC0415 (settings come first)

    read = Handler._request

    def looked_at(self: Handler) -> Any:
        request = read(self)
        if not request.path.startswith("/_sandbox"):
            sent = f"{self.requestline}\n{self.headers}\n{request.body!r}"
            look_at(sent, "a call to the inventory")
        return request

    Handler._request = looked_at  # type: ignore[method-assign] # to hear it


def pytest_configure(config: pytest.Config) -> None:
    """Mark the ids, and listen."""
    from orders.models import Order  # noqa: PLC0415 (there are no models before Django is set up)

    field = Order._meta.get_field("public_id")
    assert field.default is uuid.uuid4
    field.default = marked
    field.__dict__.pop("_get_default", None)
    root = logging.getLogger()
    for handler in root.handlers:
        if type(handler) is logging.StreamHandler:
            handler.setLevel(root.level)
    root.setLevel(logging.INFO)
    root.addHandler(_Listener())
    _listen_to_the_sandbox()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail the test that let a secret out."""
    _found.clear()
    yield
    if _found:
        pytest.fail("the canary was heard\n" + "\n".join(_found[:5]), pytrace=False)
