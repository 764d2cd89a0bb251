"""What tests of the tracking pages need."""

import pytest
from pytest_django.fixtures import Settings


@pytest.fixture(autouse=True)
def _shop(settings: Settings) -> None:
    settings.SHOP_NAME = "Fern & Oak"
