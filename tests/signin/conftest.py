"""What tests of the sign-in need."""

from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry, Counter
from pytest_django.fixtures import Settings

from orders.signin import resets
from tests.processes import free_port

Outcomes = Callable[[], dict[str, float]]


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


@pytest.fixture
def port(settings: Settings) -> int:
    """Return where the mail server of this process's settings is, or is not."""
    settings.EMAIL_BACKEND = "orderservice.smtp.EmailBackend"
    found = free_port()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", found
    settings.EMAIL_TIMEOUT = 10
    settings.DEFAULT_FROM_EMAIL = "Fern & Oak <shop@example.org>"
    return found


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch) -> Outcomes:
    """Return what tells how many mails came to what in this test."""
    counter = Counter("mails", "As ours.", ["outcome"], registry=CollectorRegistry())
    monkeypatch.setattr(resets, "mails", counter)

    def counted() -> dict[str, float]:
        [family] = counter.collect()
        return {sample.labels["outcome"]: sample.value for sample in family.samples}

    return counted
