"""What tests of the API need."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from inventory_client.sandbox.server import Sandbox
from tests.api import described


@pytest.fixture(autouse=True)
def described_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test when it gets an answer of the API that the description does not have."""
    ask = APIClient.request

    def asked(client: APIClient, **request: Any) -> Any:
        answer = ask(client, **request)
        path = answer.wsgi_request.path
        if path.startswith(("/health", "/api")):
            described.check(request["REQUEST_METHOD"], path, answer)
        return answer

    monkeypatch.setattr(APIClient, "request", asked)


@pytest.fixture
def plenty(sandbox: Sandbox) -> None:
    """An inventory that has enough of product 10."""
    sandbox.store.set_stock({"10": 45})
