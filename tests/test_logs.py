"""What a request's log line tells, and what it must not."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from orders.models import ApiKey, User
from tests.factories import order, staff
from tests.logged import logged

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    with logged("orderservice.request") as lines:
        yield lines


@pytest.fixture
def manager() -> User:
    return staff("manager")


def test_line_tells_route_status_principal_time_and_statements(
    lines: list[dict[str, Any]], manager: User
) -> None:
    placed = order()
    _, key = ApiKey.objects.create_key(name="shop", user=manager)
    prefix = key.partition(".")[0]
    signed_in = Client()
    signed_in.force_login(manager)
    for client, headers, who in (
        (Client(), {}, "guest"),
        (Client(), {"Authorization": f"Api-Key {key}"}, f"key:{prefix}"),
        (Client(), {"Authorization": "Api-Key nobody.nothing"}, "guest"),
        (signed_in, {}, f"user:{manager.pk}"),
    ):
        client.get(f"/api/orders/{placed.public_id}", headers=headers)
        line = lines[-1]
        assert line["event"] == "request"
        assert line["route"] == "api/orders/<str:order_id>"
        assert line["method"] == "GET"
        assert line["principal"] == who
        assert isinstance(line["ms"], float)
        assert str(placed.public_id) not in json.dumps(line, default=str)
    assert [line["statements"] for line in lines][:1] == [1]
    assert lines[0]["status"] == 200
    assert lines[2]["status"] == 401


def test_page_s_line_names_who_is_signed_in_without_asking_for_it(
    lines: list[dict[str, Any]], manager: User
) -> None:
    client = Client()
    client.get("/admin/login/")
    client.force_login(manager)
    client.get("/admin/orders/order/")
    assert [line["principal"] for line in lines] == ["guest", f"user:{manager.pk}"]


def test_trace_of_a_request_is_on_its_line(lines: list[dict[str, Any]]) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    for sent, known in (
        (f"00-{trace}-00f067aa0ba902b7-01", trace),
        (f"cc-{trace}-00f067aa0ba902b7-01-what-is-to-come", trace),
        (f"00-{trace}-00f067aa0ba902b7-01-too-much", None),
        (f"ff-{trace}-00f067aa0ba902b7-01", None),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", None),
        (f"00-{trace}-{'0' * 16}-01", None),
        (f"00-{trace.upper()}-00f067aa0ba902b7-01", None),
        ("anything at all", None),
        ("", None),
    ):
        Client().get("/health", headers={"traceparent": sent})
        assert lines[-1].get("trace_id") == known, sent


def failing(get_response: object) -> Callable[[HttpRequest], HttpResponse]:
    """Make a middleware that fails."""

    def fail(request: HttpRequest) -> HttpResponse:
        raise RuntimeError("no view has been asked")

    return fail


@pytest.mark.parametrize("inside", ["RequestLogMiddleware", "AxesMiddleware"])
def test_failure_of_a_middleware_is_a_500_and_one_line_with_its_stack(
    lines: list[dict[str, Any]], settings: Settings, inside: str
) -> None:
    [at] = [n for n, name in enumerate(settings.MIDDLEWARE) if name.endswith(inside)]
    here = f"{__name__}.{failing.__name__}"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[: at + 1], here, *settings.MIDDLEWARE[at + 1 :]]
    answer = Client(raise_request_exception=False).get("/admin/login/")
    assert answer.status_code == 500
    failed, request = lines
    assert failed["event"] == "unhandled"
    assert "RuntimeError" in str(failed["exception"])
    assert failed["request_id"] == request["request_id"] == answer["X-Request-ID"]
