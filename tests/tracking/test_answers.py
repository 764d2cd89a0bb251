"""``/track/{id}``: with which headers it is sent, at what cost, and when the database is down."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from orders import queries
from orders.models import Order
from tests.factories import order_of, user
from tests.tracking.visits import happened, in_state, owned, page_of, path, signed_in, text

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("found", [True, False])
def test_page_comes_with_its_headers(found: bool) -> None:
    placed = order_of(p10=1) if found else owned()
    answer = Client().get(path(placed))
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Vary"] == "Cookie"
    assert sorted(answer.headers["Content-Security-Policy"].split("; ")) == [
        "base-uri 'none'",
        "connect-src 'self'",
        "default-src 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "img-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
    ]
    assert '<meta name="robots" content="noindex">' in text(answer)
    assert answer.cookies.output() == ""


def test_page_that_the_browser_has_is_304_until_the_order_changes() -> None:
    placed = in_state("PENDING")
    first = Client().get(path(placed))
    known = {"If-None-Match": first.headers["ETag"]}
    again = Client().get(path(placed), headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["Referrer-Policy"] == "no-referrer"
    assert again.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]
    Order.objects.filter(pk=placed.pk).update(status="CONFIRMED")
    assert Client().get(path(placed), headers=known).status_code == 200


def test_page_of_another_viewer_has_another_tag() -> None:
    placed = order_of(p10=1)
    known = {"If-None-Match": Client().get(path(placed)).headers["ETag"]}
    assert signed_in(user()).get(path(placed), headers=known).status_code == 200


def test_head_is_answered_without_a_body() -> None:
    assert (
        Client().head(path(order_of(p10=1))).status_code,
        Client().head("/track/x").content,
    ) == (
        200,
        b"",
    )


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_page_with_another_method_is_refused(method: str) -> None:
    client = Client(enforce_csrf_checks=True)
    for where in (path(order_of(p10=1)), path(owned()), "/track/no-id", "/track"):
        answer = client.generic(method, where)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_page_takes_two_statements(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    placed = order_of(p1=2, p2=2, p3=2)
    for kind in ("placed", "confirmed", "completed"):
        happened(placed, kind)
    with django_assert_num_queries(2):
        page_of(placed)


def test_page_of_an_owner_takes_four_more(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    who = user()
    placed, client = owned(who), signed_in(who)
    client.get(path(placed))
    with django_assert_num_queries(6):  # session, user, is a factor set, permissions
        client.get(path(placed))


def test_what_is_no_id_takes_no_statement(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(0):
        Client().get("/track/no-id")


def down(*args: object) -> None:
    """Fail as a database does that is away."""
    raise OperationalError('connection to server at "10.0.0.1" failed')


@pytest.mark.parametrize(
    "visit",
    [
        lambda placed: Client().get(path(placed)),
        lambda placed: Client().post("/track/sign-in", {"username": "a", "password": "b"}),
    ],
    ids=["page", "sign-in"],
)
def test_page_without_a_database_is_503_in_the_shop_s_look(visit: Callable[[Order], Any]) -> None:
    placed = order_of(p10=1)
    with connection.execute_wrapper(down):
        answer = visit(placed)
    unavailable(answer)


def test_session_that_can_not_be_read_is_503_in_the_shop_s_look() -> None:
    placed = order_of(p10=1)
    client = signed_in(user())
    client.raise_request_exception = False
    with connection.execute_wrapper(down):
        answer = client.get(path(placed))
    unavailable(answer)


def unavailable(answer: Any) -> None:
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "look your order up just now" in text(answer)
    assert "orders/tracking.css" in text(answer)
    assert "style-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "10.0.0.1" not in text(answer)


@pytest.mark.parametrize(
    ("failure", "status"), [(RuntimeError("a secret"), 500), (InterfaceError("a secret"), 503)]
)
def test_page_that_fails_tells_nothing(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, status: int
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise failure

    monkeypatch.setattr(queries, "find", fail)
    answer = Client(raise_request_exception=False).get(path(order_of(p10=1)))
    assert answer.status_code == status
    assert "secret" not in text(answer)
    assert "orders/tracking.css" in text(answer)


def test_failure_elsewhere_is_answered_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("orders.admin.navigation.sidebar", fail)
    client = signed_in(user(is_staff=True, is_superuser=True))
    client.raise_request_exception = False
    answer = client.get("/admin/orders/order/")
    assert answer.status_code == 500
    assert "tracking.css" not in text(answer)
