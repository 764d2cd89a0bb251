"""What the tests of the table need."""

import pytest

from inventory_client.sandbox.server import Sandbox


@pytest.fixture
def plenty(sandbox: Sandbox) -> None:
    """An inventory that has enough of product 10."""
    sandbox.store.set_stock({"10": 1000})
