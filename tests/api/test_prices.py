"""Creating an order at prices that are compared: what the API answers."""

import pytest

from inventory_client.sandbox.server import Sandbox
from orders.models import IdempotencyKey, Order
from tests.api.calls import create, guest, item, refusal, service

pytestmark = pytest.mark.django_db(transaction=True)

KEY = {"Idempotency-Key": "a key"}


@pytest.fixture(autouse=True)
def stocked(sandbox: Sandbox, catalogue: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45, "11": 45, "<b>": 45})
    catalogue.store.set_prices({"10": 50, "11": "8.5"})


def test_create_at_the_catalogue_s_prices_answers_as_ever() -> None:
    answer = create(guest(), items=[item(), item("11", 1, "8.50")])
    assert answer.status_code == 201
    assert answer.json()["total"] == "108.50"
    assert not any("price" in name.lower() for name in answer.json())  # the mark is for staff
    assert Order.objects.get().price_source == "catalogue"


def test_create_at_other_prices_tells_all_of_them_with_both_amounts() -> None:
    answer = create(guest(), items=[item(price=49), item("11", 1, "8.51"), item("<b>", 1, 1)])

    assert refusal(answer) == (409, "price_changed")
    assert answer.json()["items"] == [
        {"productId": "10", "sent": "49.00", "current": "50.00"},
        {"productId": "11", "sent": "8.51", "current": "8.50"},
        {"productId": "<b>", "sent": "1.00", "current": None},
    ]
    assert answer.json()["detail"] == (
        "10 costs 50.00 and not 49.00; 11 costs 8.50 and not 8.51; <b> is not in the catalogue"
    )
    assert "Retry-After" not in answer.headers
    assert not Order.objects.exists()


def test_create_with_a_service_s_key_is_compared_too(committed_db: None) -> None:
    assert refusal(create(service(), items=[item(price=1)])) == (409, "price_changed")


@pytest.mark.parametrize("down", ["503", "reset"])
def test_create_with_the_catalogue_away_says_when_to_come_back(
    catalogue: Sandbox, down: str
) -> None:
    catalogue.switches.update({"down": down})
    answer = create(guest(), headers=KEY)
    assert refusal(answer) == (503, "catalogue_unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert "items" not in answer.json()
    assert not Order.objects.exists()
    assert not IdempotencyKey.objects.exists()


def test_create_while_the_catalogue_throttles_passes_its_wish_on(catalogue: Sandbox) -> None:
    catalogue.faults.script("429", operation="price")
    assert create(guest()).headers["Retry-After"] == "1"


def test_create_repeated_with_its_key_asks_the_catalogue_no_more(catalogue: Sandbox) -> None:
    first = create(guest(), headers=KEY)
    catalogue.store.set_prices({"10": 60})
    asked = catalogue.calls()

    again = create(guest(), headers=KEY)

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert catalogue.calls() == asked == {"price": 1}
    assert refusal(create(guest())) == (409, "price_changed")


def test_create_refused_for_its_price_leaves_its_key_unused() -> None:
    assert refusal(create(guest(), headers=KEY, items=[item(price=49)]))[0] == 409
    assert create(guest(), headers=KEY).status_code == 201


def test_create_with_an_invalid_body_asks_no_catalogue(catalogue: Sandbox) -> None:
    assert create(guest(), items=[item(price=-1)]).status_code == 400
    assert catalogue.calls() == {}
