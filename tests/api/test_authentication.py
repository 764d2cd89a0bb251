"""API keys and sessions."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from orders.models import ApiKey, Order
from tests.api.calls import ORDERS, create, customer, guest, key_of, patch, refusal, with_key
from tests.factories import order_of, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def key() -> str:
    return key_of(staff("viewer"))


@pytest.mark.parametrize("scheme", ["Api-Key", "api-key", "API-KEY"])
def test_call_with_a_key_acts_as_its_user(key: str, scheme: str) -> None:
    assert guest().get(ORDERS, headers={"Authorization": f"{scheme} {key}"}).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "Api-Key",
        "Api-Key ",
        "Api-Key x",
        "Api-Key .",
        "Api-Key {key}x",
        "Api-Key {prefix}.wrong",
        "Api-Key {prefix}",
        "Api-Key {key} {key}",
        "Api-Key {key},",
        "Api-Key \x00.\x00",
        "Api-Key é.é",
        "Api-Key " + "x" * 5000,
    ],
)
def test_call_with_a_bad_key_is_refused(key: str, header: str) -> None:
    header = header.format(key=key, prefix=key.partition(".")[0])
    for answer in (
        guest().get(ORDERS, headers={"Authorization": header}),
        create(guest(), headers={"Authorization": header}),  # not even as a guest
    ):
        assert refusal(answer) == (401, "authentication_failed")
        assert answer.headers["WWW-Authenticate"] == "Api-Key, Bearer"


@pytest.mark.parametrize("fault", ["revoked", "expired", "inactive"])
def test_call_with_a_key_that_is_over_is_refused(key: str, fault: str) -> None:
    row = ApiKey.objects.get()
    row.revoked = fault == "revoked"
    row.expiry_date = timezone.now() - timedelta(seconds=1) if fault == "expired" else None
    row.save()
    row.user.is_active = fault != "inactive"
    row.user.save()
    assert refusal(with_key(key).get(ORDERS)) == (401, "authentication_failed")
    row.refresh_from_db()
    assert row.last_used_at is None


def test_call_with_a_key_notes_its_use_once_a_minute(
    key: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = with_key(key)
    client.get(ORDERS)
    first = ApiKey.objects.get().last_used_at
    assert first is not None
    client.get(ORDERS)
    assert ApiKey.objects.get().last_used_at == first

    ApiKey.objects.update(last_used_at=first - timedelta(seconds=61))
    client.get(ORDERS)
    noted = ApiKey.objects.get().last_used_at
    assert noted is not None
    assert noted > first


@pytest.mark.parametrize("header", ["Basic eDp5", "x", "Token 1", "ApiKey abcdefgh.1", "Api-Key"])
@pytest.mark.parametrize("in_a_session", [False, True])
def test_call_with_another_scheme_is_not_even_a_guest_s(
    plenty: None, header: str, in_a_session: bool
) -> None:
    client = customer()[1] if in_a_session else guest()
    answer = create(client, headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json()["code"] in ("unknown_scheme", "authentication_failed")
    assert answer.headers["WWW-Authenticate"] == "Api-Key, Bearer"
    assert not Order.objects.exists()


@pytest.mark.parametrize("header", ["", " "])
def test_call_with_an_empty_header_is_one_without_a_credential(header: str) -> None:
    answer = guest().get(ORDERS, headers={"Authorization": header})
    assert refusal(answer) == (401, "not_authenticated")


def test_status_without_a_credential_is_refused() -> None:
    answer = patch(guest(), order_of(p10=1), "CANCELLED")
    assert refusal(answer) == (401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == "Api-Key, Bearer"


def test_status_in_a_session_without_csrf_token_is_refused() -> None:
    order = order_of(p10=1)
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(staff("manager"))
    assert refusal(patch(client, order, "CANCELLED")) == (403, "csrf_failed")
    order.refresh_from_db()
    assert order.status == "PENDING"


def test_session_of_an_inactive_user_is_no_credential() -> None:
    member = staff("manager")
    client = APIClient()
    client.force_login(member)
    member.is_active = False
    member.save()
    assert refusal(client.get(ORDERS)) == (401, "not_authenticated")
