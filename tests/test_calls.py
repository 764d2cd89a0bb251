"""The short way of calls without a cookie: the same answers, and nothing left behind."""

import gc

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from orders.api.views import OrderView
from orderservice.calls import ShortWayMiddleware
from tests.api.calls import ORDERS, signed_in
from tests.factories import order_of, staff

pytestmark = pytest.mark.django_db

PATHS = ["/health", "/health/ready", "/health/none", ORDERS, f"{ORDERS}/none", f"{ORDERS}/a/b/c"]


def shown(answer: HttpResponse) -> tuple[int, dict[str, str]]:
    """Return an answer's status and headers, but for those that each has for itself."""
    own = ("X-Request-ID", "RateLimit")
    headers = {name: value for name, value in answer.headers.items() if name not in own}
    return answer.status_code, headers


@pytest.mark.parametrize("method", ["get", "post", "options", "delete"])
@pytest.mark.parametrize("path", PATHS)
def test_short_way_answers_as_the_long_one_does(path: str, method: str) -> None:
    cookie = {"HTTP_COOKIE": "unknown=1"}
    short = getattr(Client(), method)(path, secure=True)
    long = getattr(Client(), method)(path, secure=True, **cookie)
    assert shown(short) == shown(long)


@pytest.mark.parametrize(
    ("path", "cookie", "is_short"),
    [
        ("/health", "", True),
        ("/api/orders", "", True),
        ("/api/orders/1/status", "", True),
        ("/api/orders", "sessionid=1", False),
        ("/api/auth/token", "", False),
        ("/admin/", "", False),
        ("/track", "", False),
    ],
)
def test_only_calls_without_a_cookie_go_the_short_way(
    path: str, cookie: str, *, is_short: bool
) -> None:
    request = HttpRequest()
    request.path = request.path_info = path
    request.META |= {"HTTP_COOKIE": cookie} if cookie else {}
    went: list[HttpRequest] = []
    way = ShortWayMiddleware(lambda asked: went.append(asked) or HttpResponse())  # type: ignore[func-returns-value]
    way._short_way = lambda _: HttpResponse()
    way(request)
    assert went == ([] if is_short else [request])


def test_session_opens_the_calls_on_the_long_way() -> None:
    caller = signed_in(staff("viewer"))
    assert settings.SESSION_COOKIE_NAME in caller.cookies
    assert caller.get(ORDERS).status_code == 200


def test_call_leaves_nothing_to_the_garbage_collector() -> None:
    order_id = str(order_of(p1=1).public_id)

    def call() -> None:
        answer = OrderView.as_view()(RequestFactory().get("/"), order_id=order_id)
        assert answer.render().status_code == 200

    call()
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        call()
        gc.collect()
        left = {type(found).__name__ for found in gc.garbage}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert not left & {"OrderView", "Request", "Response"}
