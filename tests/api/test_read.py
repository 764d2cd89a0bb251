"""GET /api/orders/{id}."""

import uuid

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from orders.models import Confirmation, Order
from tests.api.calls import (
    ORDERS,
    customer,
    guest,
    key_of,
    refusal,
    service,
    signed_in,
    url,
    with_key,
)
from tests.factories import order_of, staff, user

pytestmark = pytest.mark.django_db
SAME = {"X-Request-ID": "the-same"}


def owned() -> tuple[Order, APIClient]:
    who, client = customer()
    order = order_of(p10=2)
    order.owner = who
    order.save()
    return order, client


def test_read_of_an_order_without_owner_is_open_to_whoever_holds_the_id() -> None:
    order = order_of(p10=2)
    for client in (guest(), customer()[1], service("viewer")):
        assert client.get(url(order)).json()["number"] == str(order.number)


def test_read_of_an_owned_order_is_open_to_owner_and_staff() -> None:
    order, owner = owned()
    for client in (owner, service("viewer"), signed_in(staff("auditor"))):
        assert client.get(url(order)).status_code == 200


@pytest.mark.parametrize("by", ["guest", "outsider", "service without a role"])
@pytest.mark.parametrize("tail", ["", "/events"])
def test_read_of_anothers_order_is_byte_for_byte_that_of_none(by: str, tail: str) -> None:
    order, _ = owned()
    client = {
        "guest": guest(),
        "outsider": customer()[1],
        "service without a role": with_key(key_of(user())),
    }[by]
    forbidden = client.get(url(order, tail), headers=SAME)
    absent = client.get(f"{ORDERS}/{uuid.uuid4()}{tail}", headers=SAME)
    no_id = client.get(f"{ORDERS}/no-id{tail}", headers=SAME)

    assert refusal(forbidden) == (404, "not_found")
    assert forbidden.content == absent.content == no_id.content
    assert forbidden.headers == absent.headers == no_id.headers


@pytest.mark.parametrize(
    "wrong", ["1", "100001", "%00", "%ff", "x" * 2000, "{%s}", "urn:uuid:%s", "%s%%0A", "None"]
)
def test_read_of_what_is_no_id_is_not_found(wrong: str) -> None:
    order = order_of(p10=2)
    path = wrong % order.public_id if "%s" in wrong else wrong
    assert refusal(guest().get(f"{ORDERS}/{path}")) == (404, "not_found")


def test_read_with_the_id_in_capitals_or_a_trailing_slash_works() -> None:
    order = order_of(p10=2)
    assert guest().get(f"{ORDERS}/{str(order.public_id).upper()}").status_code == 200
    assert guest().get(url(order, "/")).status_code == 200


def test_read_is_private_and_tagged() -> None:
    order = order_of(p10=2)
    answer = guest().get(url(order))
    assert answer.headers["ETag"] == f'"{order.number}-1"'
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Cookie"} <= set(answer.headers["Vary"].split(", "))
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("sent", ["{tag}", "W/{tag}", '"x", {tag}', "*"])
def test_read_of_what_the_caller_has_is_304(sent: str) -> None:
    order = order_of(p10=2)
    tag = guest().get(url(order)).headers["ETag"]
    answer = guest().get(url(order), headers={"If-None-Match": sent.format(tag=tag)})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["ETag"] == tag
    assert answer.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("sent", ['"x"', "garbage", "", '"', "é"])
def test_read_with_another_tag_shows_the_order(sent: str) -> None:
    order = order_of(p10=2)
    assert guest().get(url(order), headers={"If-None-Match": sent}).status_code == 200


def test_read_of_a_short_order_names_the_products_of_the_last_failure() -> None:
    order = order_of(p10=2)
    for available in (0, 1):
        Confirmation.objects.create(
            order=order,
            state="rejected",
            actor="system",
            via="api",
            failure="insufficient_stock",
            shortages=[{"product_id": "10", "requested": 2, "available": available}],
        )
    Order.objects.filter(pk=order.pk).update(stock_state="short")

    stock = guest().get(url(order)).json()["stock"]

    assert stock["state"] == "short"
    assert stock["items"] == [{"productId": "10", "requested": 2, "available": 1}]


def test_read_takes_one_statement(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    order = order_of(p1=2, p2=2, p3=2, p4=2)
    with django_assert_num_queries(1):
        guest().get(url(order))


def test_read_shows_the_owners_public_id() -> None:
    order, client = owned()
    assert order.owner is not None
    answer = client.get(url(order))
    assert answer.json()["userId"] == str(order.owner.public_id)
