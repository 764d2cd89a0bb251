"""Failures that belong to no call in particular."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection

from orders import queries
from tests.api.calls import ORDERS, create, guest, refusal, service, signed_in, url
from tests.factories import order_of, user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/x", "/api/orders/x/y", "/api//orders", "/api/%0A", "/api/%00"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_unknown_call_is_not_found(path: str, method: str) -> None:
    answer = guest().generic(method, path)
    assert refusal(answer) == (404, "not_found")
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "Not found",
        "instance": answer.headers["X-Request-ID"],
        "code": "not_found",
    }


@pytest.mark.parametrize(
    ("method", "tail", "allow"),
    [
        ("PUT", "", "GET, HEAD, POST"),
        ("DELETE", "", "GET, HEAD, POST"),
        ("OPTIONS", "", "GET, HEAD, POST"),
        ("TRACE", "", "GET, HEAD, POST"),
        ("POST", "/{id}", "GET, HEAD"),
        ("DELETE", "/{id}", "GET, HEAD"),
        ("GET", "/{id}/status", "PATCH"),
        ("PUT", "/{id}/status", "PATCH"),
        ("POST", "/{id}/events", "GET, HEAD"),
    ],
)
def test_call_with_another_method_is_refused(method: str, tail: str, allow: str) -> None:
    path = ORDERS + tail.format(id=order_of(p10=1).public_id)
    answer = service().generic(method, path)
    assert refusal(answer) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == allow


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*", "x"])
def test_call_that_accepts_no_json_is_refused(accept: str) -> None:
    answer = service().get(ORDERS, headers={"Accept": accept})
    assert refusal(answer) == (406, "not_acceptable")


@pytest.mark.parametrize("accept", ["*/*", "application/*", "application/json", "text/html, */*"])
def test_call_that_accepts_json_is_answered(accept: str) -> None:
    assert service().get(ORDERS, headers={"Accept": accept}).status_code == 200


def test_head_is_answered_without_a_body() -> None:
    answer = guest().head(url(order_of(p10=1)))
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["ETag"]


@pytest.mark.parametrize(
    "call",
    [
        lambda: guest().get(f"{ORDERS}/00000000-0000-4000-8000-000000000000"),
        lambda: guest().get(ORDERS, headers={"Authorization": "Api-Key abcdefgh.x"}),
        lambda: create(guest(), headers={"Idempotency-Key": "x"}),
    ],
    ids=["read", "authenticate", "create"],
)
def test_call_without_a_database_is_503(call: Callable[[], Any]) -> None:
    def down(*args: object) -> None:
        raise OperationalError('connection to server at "10.0.0.1" failed')

    with connection.execute_wrapper(down):
        answer = call()

    assert refusal(answer) == (503, "database_unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert b"10.0.0.1" not in answer.content


def test_call_whose_session_can_not_be_read_is_503_as_any_other() -> None:
    def down(*args: object) -> None:
        raise OperationalError('connection to server at "10.0.0.1" failed')

    client = signed_in(user())
    client.raise_request_exception = False
    with connection.execute_wrapper(down):
        answer = client.get(ORDERS)

    assert refusal(answer) == (503, "database_unavailable")
    assert answer.headers["Retry-After"] == "5"


def test_call_that_fails_unexpectedly_tells_nothing_and_logs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(queries, "find", fail)

    answer = guest().get(url(order_of(p10=1)))

    assert refusal(answer) == (500, "internal_error")
    assert b"secret" not in answer.content
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_call_with_a_foreign_host_is_refused_as_a_problem() -> None:
    assert refusal(guest().get(ORDERS, headers={"Host": "evil.example"})) == (
        400,
        "malformed_request",
    )


def test_call_with_a_request_id_answers_with_it() -> None:
    answer = guest().get("/api/x", headers={"X-Request-ID": "abc-1"})
    assert (answer.json()["instance"], answer.headers["X-Request-ID"]) == ("abc-1", "abc-1")


def test_page_outside_the_api_is_no_problem_document() -> None:
    assert guest().get("/nothing").headers["Content-Type"].startswith("text/html")


def test_calls_with_a_trailing_slash_are_answered_without_a_redirect() -> None:
    order, staff = order_of(p10=1), service()
    assert staff.get(f"{ORDERS}/").status_code == 200
    assert guest().post(f"{ORDERS}/", {}, format="json").status_code == 400
    assert guest().get(url(order, "/events/")).status_code == 200
    answer = staff.patch(url(order, "/status/"), {"status": "CANCELLED"}, format="json")
    assert answer.status_code == 200


@pytest.mark.parametrize("tail", ["", "/x", "/x/status", "/x/events"])
@pytest.mark.parametrize("method", ["DELETE", "PUT", "OPTIONS", "TRACE"])
def test_method_that_there_is_not_is_refused_before_anybody_is_asked_who_they_are(
    tail: str, method: str
) -> None:
    answer = guest().generic(method, f"{ORDERS}{tail}")
    assert refusal(answer) == (405, "method_not_allowed")
    assert method not in answer.headers["Allow"]


def test_unknown_call_names_no_methods() -> None:
    assert "Allow" not in guest().get("/api/nothing").headers


@pytest.mark.parametrize("path", ["/health", "/health/", "/health/ready", "/health/ready/"])
def test_health_is_at_both_paths_and_only_read(path: str) -> None:
    assert guest().get(path).status_code in (200, 503)
    answer = guest().post(path)
    assert refusal(answer) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD"
