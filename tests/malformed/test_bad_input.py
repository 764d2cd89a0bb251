"""Some of the malformed requests of each kind, through Django; `benchmarks.bad_input` sends all."""

import uuid
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders.models import ApiKey, IdempotencyKey, Order, OrderEvent
from orderservice import rates
from tests.factories import order_of, staff
from tests.malformed.case import HOST, Case, Must, Site
from tests.malformed.judge import Answer, faults
from tests.malformed.making import few

pytestmark = pytest.mark.django_db

SEED, OF_EACH_KIND = 7, 9
TAKEN_APART = ("CONTENT_TYPE", "CONTENT_LENGTH")  # what WSGI names without HTTP_


@pytest.fixture
def client(settings: Settings) -> Client:
    """A caller who is refused for no rate."""
    settings.ALLOWED_HOSTS = [HOST]
    settings.API_THROTTLES = rates.NONE
    return Client(raise_request_exception=False, enforce_csrf_checks=True)


def ask(client: Client, case: Case) -> Answer:
    """Send a request as gunicorn hands it over."""
    path, _, query = case.target.partition("?")
    environ: dict[str, Any] = {
        "PATH_INFO": unquote_to_bytes(path.encode("latin-1")).decode("latin-1"),
        "QUERY_STRING": query,
        "HTTP_HOST": HOST,
    }
    for name, value in case.headers:
        key = name.upper().replace("-", "_")
        environ[key if key in TAKEN_APART else f"HTTP_{key}"] = value.strip(" \t")
    content_type = environ.get("CONTENT_TYPE", "")
    answer = client.generic(case.method, "/", case.body, content_type, **environ)
    headers = {name.lower(): value for name, value in answer.items()}
    return Answer(answer.status_code, headers, answer.getvalue())


def test_malformed_requests_are_refused_as_problems_and_write_nothing(
    client: Client, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 1_000_000})
    order = order_of(p10=1)
    _, key = ApiKey.objects.create_key(name="test", user=staff("manager"))
    tried, wrong = 0, []
    for case in few(SEED, Site(str(key), str(order.public_id)), each=OF_EACH_KIND):
        if case.must is not Must.BE_NO_HTTP:
            tried += 1
            wrong += [f"{fault}: {case}" for fault in faults(case, ask(client, case))]
    assert wrong == []
    assert tried > 300
    assert list(Order.objects.values_list("pk", "status")) == [(order.pk, "PENDING")]
    assert not OrderEvent.objects.exists()
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(500, {"x-request-id": "1"}, b""), "500"),
        (Answer(400, {}, b""), "400 that is not the service's"),
        (Answer(200, {"x-request-id": "1"}, b""), "200, no refusal"),
        (Answer(400, {"x-request-id": "1", "content-type": "text/html"}, b""), "400 as text/html"),
    ],
)
def test_judge_of_a_wrong_answer_says_what_is_wrong(answer: Answer, fault: str) -> None:
    assert list(faults(Case(kind="", what=""), answer)) == [fault]


@pytest.mark.parametrize("page", ["/admin/login/", "/track/sign-in"])
def test_form_in_another_encoding_is_refused(client: Client, page: str) -> None:
    case = Case(
        kind="",
        what="",
        method="POST",
        target=page,
        headers=(
            ("Content-Type", "application/x-www-form-urlencoded; charset=utf-7"),
            ("Cookie", f"csrftoken={'t' * 32}"),
        ),
        body=b"username=x",
    )
    answer = ask(client, case)
    assert answer.status == 400
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_requests_of_a_seed_are_the_same() -> None:
    site = Site("abcdefgh.x", str(uuid.UUID(int=0)))
    once, again = (list(few(SEED, site, each=3)) for _ in range(2))
    assert once == again
    assert list(few(SEED + 1, site, each=3)) != once
