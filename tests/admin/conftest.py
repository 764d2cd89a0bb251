"""Staff who are signed in, and what the pages' addresses are."""

from collections.abc import Callable

import pytest
from django.test import Client

from tests.factories import staff

SignIn = Callable[[str], Client]


@pytest.fixture
def sign_in() -> SignIn:
    """Sign a new member of staff of a role in."""

    def signed_in(role: str) -> Client:
        client = Client()
        client.force_login(staff(role, username=role))
        return client

    return signed_in
