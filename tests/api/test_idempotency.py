"""Idempotency-Key on POST /api/orders."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from inventory_client.sandbox.server import Sandbox
from orders.api import idempotency
from orders.models import IdempotencyKey, Order
from tests.api.calls import create, customer, faults, guest, item, key_of, refusal, with_key
from tests.factories import staff

KEY = {"Idempotency-Key": "a key"}


@pytest.fixture(autouse=True)
def stocked(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})


@pytest.mark.django_db
def test_create_repeated_replays_the_answer_without_asking_for_stock(sandbox: Sandbox) -> None:
    first = create(guest(), headers=KEY)
    asked = sandbox.calls()
    sandbox.switches.update({"down": "503"})

    again = create(guest(), headers=KEY)

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert sandbox.calls() == asked
    assert Order.objects.count() == 1


@pytest.mark.django_db
def test_create_repeated_in_other_words_is_the_same_payload() -> None:
    first = create(guest(), headers=KEY)
    again = create(guest(), headers=KEY, fullName=" John Doe ", items=[item(price="50.00")])
    assert again.json() == first.json()


@pytest.mark.django_db
def test_create_with_a_used_key_and_another_payload_is_refused(sandbox: Sandbox) -> None:
    create(guest(), headers=KEY)
    asked = sandbox.calls()

    answer = create(guest(), headers=KEY, items=[item(quantity=3)])

    assert refusal(answer) == (422, "idempotency_key_reused")
    assert sandbox.calls() == asked
    assert Order.objects.count() == 1


@pytest.mark.django_db
def test_create_that_fails_leaves_its_key_unused(sandbox: Sandbox) -> None:
    sandbox.switches.update({"down": "503"})
    assert create(guest(), headers=KEY).status_code == 503
    sandbox.switches.update({"down": ""})
    answer = create(guest(), headers=KEY)
    assert (answer.status_code, "Idempotency-Replayed" in answer.headers) == (201, False)


@pytest.mark.django_db
def test_create_by_others_with_the_same_key_is_theirs() -> None:
    callers = [
        with_key(key_of(staff("manager"))),
        with_key(key_of(staff("manager"))),
        customer()[1],
        customer()[1],
        guest(),
    ]
    ids = {create(caller, headers=KEY).json()["id"] for caller in callers}
    ids.add(create(guest(), headers=KEY, email="jane@example.com").json()["id"])
    assert len(ids) == Order.objects.count() == 6


@pytest.mark.django_db
def test_create_by_a_guest_with_the_email_in_other_case_meets_the_same_key() -> None:
    create(guest(), headers=KEY, email="john@example.com")
    answer = create(guest(), headers=KEY, email="John@Example.com")
    assert refusal(answer) == (422, "idempotency_key_reused")


@pytest.mark.django_db
@pytest.mark.parametrize("quantity", [2, 3])
def test_create_with_an_expired_key_is_a_new_order(quantity: int) -> None:
    first = create(guest(), headers=KEY)
    kept = IdempotencyKey.objects.get()
    assert timedelta(hours=23) < kept.expires_at - timezone.now() <= timedelta(hours=24)
    IdempotencyKey.objects.update(expires_at=timezone.now())

    second = create(guest(), headers=KEY, items=[item(quantity=quantity)])

    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]
    third = create(guest(), headers=KEY, items=[item(quantity=quantity)])
    assert third.json() == second.json()


def twins(monkeypatch: pytest.MonkeyPatch, *, quantities: tuple[int, int] = (2, 2)) -> list[Any]:
    """Create twice at once: both have looked for the key in vain before either writes it."""
    both_looked = threading.Barrier(2)
    looked = threading.local()
    stored = idempotency._stored

    def look(claim: idempotency.Claim) -> dict[str, object] | None:
        found = stored(claim)
        if not hasattr(looked, "once"):
            looked.once = True
            assert found is None
            both_looked.wait(10)
        return found

    monkeypatch.setattr(idempotency, "_stored", look)
    answers: list[Any] = []

    def run(quantity: int) -> None:
        try:
            answers.append(create(guest(), headers=KEY, items=[item(quantity=quantity)]))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[quantity]) for quantity in quantities]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.usefixtures("committed_db")
def test_create_twice_at_once_makes_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        one, other = twins(monkeypatch)
        assert (one.status_code, other.status_code) == (201, 201)
        assert one.json() == other.json()
        replayed = ["Idempotency-Replayed" in answer.headers for answer in (one, other)]
        assert sorted(replayed) == [False, True]
        assert Order.objects.count() == 1
        IdempotencyKey.objects.all().delete()
        monkeypatch.undo()
        _forget_orders()


@pytest.mark.usefixtures("committed_db")
def test_create_twice_at_once_without_the_unique_key_makes_two(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: what the test above prevents does happen without its guard."""
    monkeypatch.setattr(idempotency, "_store", lambda claim, order: None)
    one, other = twins(monkeypatch)
    assert one.json()["id"] != other.json()["id"]
    assert Order.objects.count() == 2


@pytest.mark.usefixtures("committed_db")
def test_create_twice_at_once_with_other_payloads_refuses_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = twins(monkeypatch, quantities=(2, 3))
    assert sorted(answer.status_code for answer in answers) == [201, 422]
    assert Order.objects.count() == 1


def _forget_orders() -> None:
    """Empty the tables; history is append-only, so that only TRUNCATE can."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE orders_order CASCADE")


@pytest.mark.django_db
def test_key_at_fault_is_reported_beside_the_body_s_faults() -> None:
    answer = create(guest(), headers={"Idempotency-Key": "é"}, city=None)
    assert faults(answer) == [("Idempotency-Key", "invalid"), ("city", "required")]
