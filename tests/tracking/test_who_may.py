"""Who may see an order's page: the API's rule, and one page for everything else."""

import re
import uuid
from urllib.parse import quote

import pytest
from django.test import Client

from tests.factories import order_of, staff, user
from tests.signin.people import with_app
from tests.tracking.visits import owned, path, signed_in, text

pytestmark = pytest.mark.django_db
SAME = {"X-Request-ID": "the-same"}


def test_order_without_owner_is_open_to_whoever_holds_the_id() -> None:
    order = order_of(p10=2)
    for client in (Client(), signed_in(user()), signed_in(staff("viewer"))):
        answer = client.get(path(order))
        assert answer.status_code == 200
        assert f"#{order.number}" in text(answer)


def test_owned_order_is_open_to_its_owner_and_to_staff() -> None:
    who = user()
    order = owned(who)
    for client in (signed_in(who), signed_in(staff("viewer"))):
        assert client.get(path(order)).status_code == 200


@pytest.mark.parametrize("by", ["guest", "outsider", "staff without a role"])
def test_anothers_order_is_byte_for_byte_none(by: str) -> None:
    order = owned()
    client = {
        "guest": Client(),
        "outsider": signed_in(user()),
        "staff without a role": signed_in(user(is_staff=True)),
    }[by]
    forbidden = client.get(path(order), headers=SAME)
    assert forbidden.status_code == 404
    for other in (uuid.uuid4(), "no-id", f"{order.public_id}/x", "", "x" * 2000, "%00", "100001"):
        absent = client.get(f"/track/{other}", headers=SAME)
        assert absent.status_code == 404
        assert absent.content == forbidden.content
        assert absent.headers == forbidden.headers
        assert absent.cookies.output() == forbidden.cookies.output() == ""


def test_absent_page_is_the_same_for_all_and_offers_to_sign_in() -> None:
    order = owned()
    pages = {c.get(path(order)).content for c in (Client(), signed_in(user()))}
    [page] = pages
    assert b'href="?sign-in"' in page
    assert "Fern &amp; Oak" in page.decode()


def test_way_to_the_sign_in_tells_nothing_of_the_order() -> None:
    for where in (path(owned()), path(order_of(p10=1)), f"/track/{uuid.uuid4()}", "/track/no-id"):
        answer = Client().get(f"{where}?sign-in")
        assert answer.status_code == 302
        assert answer.headers["Location"] == f"/track/sign-in?next={quote(where, safe='')}"


def test_session_that_has_yet_to_show_its_second_factor_is_a_guests() -> None:
    who = user()
    client = signed_in(who)
    mine, anyones = owned(who), order_of(p10=1)
    assert client.get(path(mine)).status_code == 200
    with_app(who)
    assert client.get(path(mine)).status_code == 404
    assert client.get(path(anyones)).status_code == 200


def test_api_key_or_token_opens_nothing_here() -> None:
    order = owned()
    for credential in ("Api-Key abcdefgh.x", "Bearer x"):
        answer = Client().get(path(order), headers={"Authorization": credential})
        assert answer.status_code == 404


@pytest.mark.parametrize("form", ["{}/", "{}?x=1"])
def test_page_opens_with_a_trailing_slash_or_a_query(form: str) -> None:
    assert Client().get(form.format(path(order_of(p10=1)))).status_code == 200


def test_page_opens_with_the_id_in_capitals() -> None:
    order = order_of(p10=1)
    assert Client().get(f"/track/{str(order.public_id).upper()}").status_code == 200


@pytest.mark.parametrize("id_as", ["urn:uuid:{}", "{{{}}}", "{}%0A", "{}%20"])
def test_id_in_another_form_is_none(id_as: str) -> None:
    order = order_of(p10=1)
    assert Client().get(f"/track/{id_as.format(order.public_id)}").status_code == 404


def test_home_without_an_order_shows_that_there_is_none() -> None:
    for where in ("/track", "/track/"):
        answer = Client().get(where)
        assert answer.status_code == 404
        assert re.search("<h1>.*no order", text(answer))
        assert Client().get(f"{where}?sign-in").headers["Location"] == "/track/sign-in"
    assert b"orders/tracking" not in Client().get("/tracks").content
