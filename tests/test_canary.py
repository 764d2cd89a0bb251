"""The canary itself: it hears what it should, and is silent otherwise."""

import logging
from urllib.request import Request, urlopen
from uuid import UUID

import pytest
import structlog

from inventory_client.sandbox.server import Sandbox
from orders.models import Order
from tests import canary
from tests.factories import order


@pytest.mark.parametrize(
    "secret",
    [
        f"3b241101-e2bb-4255-8caf-41{canary.MARK}",
        "john@example.com",
        "123 Main St",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
        "abcdEFGH." + "a1" * 16,
    ],
)
def test_secret_is_heard_in_a_log_and_in_a_call(secret: str, sandbox: Sandbox) -> None:
    logging.getLogger("x").info("of %s", secret)
    structlog.get_logger("y").warning("event", of={"whom": [secret]})
    try:
        raise NameError(secret)  # whose words are told
    except NameError:
        structlog.get_logger("z").exception("failed")
    assert [f"{secret[-5:]}" in each for each in canary.heard()] == [True] * 3

    urlopen(Request(f"{sandbox.url}/health", headers={"X-Whose": secret})).close()  # noqa: S310
    [call] = canary.heard()
    assert "a call to the inventory" in call


def test_everyday_lines_are_not_heard(sandbox: Sandbox) -> None:
    logging.getLogger("x").info("order 100042 confirmed at 203.0.113.9 in 3.25 s, 127.0.0.1:3000")
    logging.getLogger("x").debug("john@example.com")
    assert canary.heard() == []


@pytest.mark.django_db
def test_id_of_an_order_is_random_and_marked() -> None:
    one, other = order(), Order.objects.get(pk=order().pk)
    assert one.public_id != other.public_id
    assert str(one.public_id).endswith(canary.MARK)
    assert UUID(str(other.public_id)).version == 4
