"""What tests of the sign-in need."""

import pytest
from pytest_django.fixtures import Settings


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    """Hash quickly: what makes guessing slow makes tests slow too."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def with_mail(settings: Settings) -> None:
    """A shop that sends mail."""
    settings.SENDS_MAIL = True
    settings.SHOP_NAME = "Fern & Oak"
    settings.PUBLIC_URL = "https://shop.example.org"
