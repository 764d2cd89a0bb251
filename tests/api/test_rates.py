"""How often a client may call: refused with 429, and told what is left."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from orders import lifecycle, retention, throttling
from orders.housekeeping.pruning import Pruned, prune
from orders.models import Order, RateCount
from orderservice import rates
from orderservice.rates import Limits, Rate, Scope
from tests.api.calls import ORDERS, create, customer, guest, patch, refusal, service
from tests.factories import OPERATOR, order_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def limits(settings: Settings) -> Iterator[dict[Scope, Rate]]:
    """Nothing is limited, but for what the test writes in here."""
    limited: dict[Scope, Rate] = {}
    settings.API_THROTTLES = Limits(limited, None)
    yield limited


def test_default_limits_are_on(settings: Settings) -> None:
    assert settings.API_THROTTLES == rates.DEFAULTS
    assert set(rates.DEFAULTS.rates) == set(Scope)


def test_creations_beyond_the_rate_are_refused(limits: dict[Scope, Rate], plenty: None) -> None:
    limits[Scope.ORDERS] = Rate(2, 60)
    first, second, third = create(guest()), create(guest()), create(guest())
    assert (first.status_code, first["RateLimit-Policy"]) == (201, '"orders";q=2;w=60')
    assert first["RateLimit"] == '"orders";r=1;t=60'
    assert second["RateLimit"].startswith('"orders";r=0;t=')
    assert refusal(third) == (429, "throttled")
    assert 0 < int(third["Retry-After"]) <= 60
    assert third["RateLimit"].startswith('"orders";r=0;t=')
    assert Order.objects.count() == 2


def test_rate_is_an_addresss_a_users_and_a_keys_own(
    limits: dict[Scope, Rate], plenty: None
) -> None:
    limits[Scope.ORDERS] = limits[Scope.KEYS] = Rate(1, 60)
    (_, one), (_, other) = customer(), customer()
    shop, second_shop = service(), service()
    callers = [guest(), one, other, shop, second_shop]
    assert [create(each).status_code for each in callers] == [201] * 5
    assert [create(each).status_code for each in callers] == [429] * 5
    elsewhere = APIClient(REMOTE_ADDR="198.51.100.7")
    assert create(elsewhere).status_code == 201
    neighbour = APIClient(REMOTE_ADDR="2001:db8::1"), APIClient(REMOTE_ADDR="2001:db8::2")
    assert [create(each).status_code for each in neighbour] == [201, 429]


def test_all_calls_of_a_key_count_together(limits: dict[Scope, Rate], plenty: None) -> None:
    limits[Scope.KEYS] = Rate(2, 60)
    shop, order = service(), order_of(p10=1)
    assert shop.get(ORDERS)["RateLimit"].startswith('"keys";r=1')
    assert patch(shop, order, "CANCELLED").status_code == 200
    assert refusal(create(shop)) == (429, "throttled")


def test_changes_of_status_and_lists_are_counted_apart(limits: dict[Scope, Rate]) -> None:
    limits[Scope.STATUS] = limits[Scope.LISTS] = Rate(1, 60)
    who, client = customer()
    order = order_of(p10=1)
    Order.objects.update(owner=who)
    assert patch(client, order, "PENDING").status_code == 200
    assert client.get(ORDERS).status_code == 200
    assert refusal(patch(client, order, "CANCELLED")) == (429, "throttled")
    assert refusal(client.get(ORDERS)) == (429, "throttled")
    order.refresh_from_db()
    assert order.status == "PENDING"


def test_list_asked_for_by_head_is_counted_as_the_list_is(limits: dict[Scope, Rate]) -> None:
    limits[Scope.LISTS] = Rate(1, 60)
    _, client = customer()
    assert client.head(ORDERS).status_code == 200
    assert client.head(ORDERS).status_code == 429
    assert refusal(client.get(ORDERS)) == (429, "throttled")


@pytest.mark.parametrize("path", ["/api/auth/token", "/api/auth/token/refresh"])
def test_tokens_are_counted_by_address(limits: dict[Scope, Rate], path: str) -> None:
    limits[Scope.TOKENS] = Rate(1, 60)
    assert guest().post(path, {}, format="json").status_code == 400
    assert refusal(guest().post(path, {}, format="json")) == (429, "throttled")


def test_sign_ins_at_the_form_are_counted_by_address(limits: dict[Scope, Rate]) -> None:
    limits[Scope.LOGIN] = Rate(1, 60)
    form = {"username": "kim", "password": "x"}
    assert guest().post("/admin/login/", form).status_code == 200
    answer: Any = guest().post("/admin/login/", form)
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 60
    assert "too many sign-ins from your address" in answer.content.decode()
    assert guest().get("/admin/login/").status_code == 200


def test_reading_an_order_is_not_counted(limits: dict[Scope, Rate], plenty: None) -> None:
    limits[Scope.ORDERS] = limits[Scope.LISTS] = Rate(1, 60)
    made = create(guest())
    for _ in range(3):
        answer = guest().get(made["Location"])
        assert (answer.status_code, "RateLimit" in answer) == (200, False)


def test_window_ends_and_the_count_begins_anew(limits: dict[Scope, Rate]) -> None:
    limits[Scope.ORDERS] = Rate(1, 60)
    first, second = throttling.take(Scope.ORDERS, "x"), throttling.take(Scope.ORDERS, "x")
    assert first is not None
    assert second is not None
    assert (first.allowed, second.allowed, second.remaining) == (True, False, 0)
    row = RateCount.objects.get()
    RateCount.objects.update(since=row.since - timedelta(seconds=60))
    again = throttling.take(Scope.ORDERS, "x")
    assert again is not None
    assert (again.allowed, again.hits, again.reset) == (True, 1, 60)


def test_old_counts_are_forgotten(limits: dict[Scope, Rate]) -> None:
    limits[Scope.ORDERS] = Rate(1, 60)
    for who in ("old", "new"):
        throttling.take(Scope.ORDERS, who)
    RateCount.objects.filter(key="orders:old").update(
        since=RateCount.objects.get(key="orders:new").since - retention.RATE_COUNTS * 1.01
    )
    assert Pruned("rate counts", 1) in list(prune())
    assert [count.key for count in RateCount.objects.all()] == ["orders:new"]


# --- a guest address's open orders ---------------------------------------------------------------


def test_guests_address_may_have_so_many_open_orders(settings: Settings, plenty: None) -> None:
    settings.API_THROTTLES = Limits({}, open_orders=2)
    made = [create(guest()) for _ in range(2)]
    refused = create(guest())
    assert refusal(refused) == (429, "too_many_open_orders")
    assert int(refused["Retry-After"]) > 0
    assert Order.objects.count() == 2

    assert create(APIClient(REMOTE_ADDR="198.51.100.7")).status_code == 201
    assert create(customer()[1]).status_code == create(service()).status_code == 201
    placed = Order.objects.get(public_id=made[0].json()["id"])
    lifecycle.cancel(placed.pk, actor=OPERATOR)
    assert create(guest()).status_code == 201


def test_address_of_a_guest_is_kept_as_a_hash_and_of_others_not_at_all(plenty: None) -> None:
    create(guest())
    create(service())
    by_service, by_guest = Order.objects.order_by("-pk")
    assert len(by_guest.placed_from) == 32
    assert "127.0.0.1" not in by_guest.placed_from
    assert by_service.placed_from == ""


# --- the setting ---------------------------------------------------------------------------------


def test_setting_is_read() -> None:
    assert rates.parsed("on") == rates.parsed("") == rates.DEFAULTS
    assert rates.parsed("OFF") == Limits({}, None)
    some = rates.parsed("orders=60/min, lists=off,open=50,login=5/hour")
    assert some.rates[Scope.ORDERS] == Rate(60, 60)
    assert some.rates[Scope.LOGIN] == Rate(5, 3600)
    assert Scope.LISTS not in some.rates
    assert some.rates[Scope.TOKENS] == rates.DEFAULTS.rates[Scope.TOKENS]
    assert some.open_orders == 50
    assert rates.parsed("open=off").open_orders is None


@pytest.mark.parametrize(
    "text", ["orders", "orders=", "orders=0/min", "orders=5/week", "open=0", "posts=1/min", "1/min"]
)
def test_setting_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no|none of"):
        rates.parsed(text)
