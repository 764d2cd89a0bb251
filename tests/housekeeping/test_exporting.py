"""Giving a customer all that is held on them, and nothing that is not theirs."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import IdempotencyKey, Order, OrderNote, User
from orders.status import CancelReason, HoldReason
from tests.api.calls import create, guest
from tests.commands.running import run
from tests.factories import OPERATOR, actor, order, order_of, user
from tests.housekeeping.canary import EMAIL, MARK, USERNAME, Canary, live


@pytest.fixture
def canary(sandbox: Sandbox) -> Canary:
    return live(sandbox)


def exported(who: str, *arguments: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(run("export_customer", who, *arguments).out)
    return document


@pytest.mark.django_db
def test_export_holds_all_that_names_a_customer(canary: Canary) -> None:
    document = exported(EMAIL)

    assert document["emails"] == [EMAIL]
    account, second = document["accounts"]
    wanted = {"username": USERNAME, "email": EMAIL, "first_name": "Petra"}
    assert wanted.items() <= account.items()
    assert account["public_id"] == str(canary.account.public_id)
    assert account["changed_by_staff"][0]["what"] == "Revoked the API tokens."
    [session] = account["sessions"]
    assert session["ends_at"] > session["seen_at"] >= session["signed_in_at"]
    assert {each["key"] for each in account["calls_counted"]} == {
        f"{scope}:user:{canary.account.pk}" for scope in ("orders", "resets", "status")
    }
    assert [each["name"] for each in second["second_factors"]] == ["app"]

    owned, guests, dropped = document["orders"]
    for column in ("full_name", "address", "city", "zip_code", "customer_reference", "total"):
        assert owned[column] == str(getattr(canary.owned, column))
    assert guests["customer_reference"] == f"{MARK}-label"
    assert guests["placed_from"] == canary.guests.placed_from
    assert [(each["product_id"], each["quantity"]) for each in owned["items"]] == [("10", 3)]
    assert [each["kind"] for each in guests["timeline"]][0::4] == ["placed", "restocked"]
    assert dropped["notes"][0]["text"] == f"{MARK} has it already"
    assert dropped["notes"][0]["by_customer"] is True
    [failed] = document["failed_sign_ins"]
    assert (failed["name"], failed["failures"]) == (EMAIL, 1)
    assert [each["key"] for each in document["idempotency_keys"]] == [f"{MARK}-1", "2"]


@pytest.mark.django_db
def test_export_holds_no_secret_and_nothing_of_staff_or_others(canary: Canary) -> None:
    document = run("export_customer", EMAIL).out
    for secret in ("password", "app", "session"):
        assert canary.secrets[secret] not in document
    for kept in ("Rang", "wrote so", "hold_reason", "someone@example.net", '"actor": "user:'):
        assert kept not in document
    noted = run("export_customer", EMAIL, "--with-staff-notes").out
    assert "Rang" in noted
    assert "neighbour" not in noted


@pytest.mark.django_db
def test_export_tells_what_happened_as_its_customer_may_hear_it() -> None:
    customer = user(username="petra", email=EMAIL)
    mine, guests = order(owner=customer, email="x@example.net"), order(email=EMAIL)
    desk = actor("manager")
    for each in (mine, guests):
        lifecycle.hold(each.pk, actor=desk, reason=HoldReason.FRAUD)
        lifecycle.cancel(each.pk, actor=desk, reason=CancelReason.FRAUD, note="A thief.")
    for placed in exported("petra")["orders"]:
        told = [(each["kind"], each["actor"], each["data"]) for each in placed["timeline"]]
        assert told == [("held", "staff", {}), ("cancelled", "staff", {"reason": "other"})]
        assert placed["notes"] == []


def test_export_has_the_keys_that_erasing_deletes_of_orders_that_name_somebody_else_now(
    committed_db: None, sandbox: Sandbox
) -> None:
    sandbox.store.set_stock({"10": 45})
    create(guest(), headers={"Idempotency-Key": "mine"}, email=EMAIL.upper())
    Order.objects.update(email="x@example.net", status="CANCELLED")
    document = exported(EMAIL)
    assert document["orders"] == []
    assert [each["key"] for each in document["idempotency_keys"]] == ["mine"]
    assert run("erase_customer", EMAIL).out == "1 idempotency keys erased\n"
    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db
def test_export_leaves_out_what_is_of_another_account_and_says_so() -> None:
    ann = user(username="ann")
    bearing, mine = order(owner=ann, email=EMAIL), order(email=EMAIL.upper())
    outcome = run("export_customer", EMAIL)
    assert [each["number"] for each in json.loads(outcome.out)["orders"]] == [mine.pk]
    assert outcome.err.splitlines() == [
        "Not known to be theirs, and left as it is:",
        f"  {EMAIL}: 1 orders (#{bearing.pk} of ann)",
    ]


@pytest.mark.django_db
def test_export_to_a_file_is_for_its_owner_alone_and_overwrites_nothing(tmp_path: Path) -> None:
    order(email=EMAIL)
    path = tmp_path / "petra.json"
    outcome = run("export_customer", EMAIL, "--output", str(path))
    assert outcome.out == ""
    assert path.stat().st_mode & 0o777 == 0o600
    written = path.read_text()
    assert json.loads(written)["orders"][0]["email"] == EMAIL
    with pytest.raises(CommandError, match="exists, and is not overwritten"):
        run("export_customer", EMAIL, "--output", str(path))
    assert path.read_text() == written
    with pytest.raises(CommandError, match="No such file or directory"):
        run("export_customer", EMAIL, "--output", str(tmp_path / "nowhere" / "petra.json"))


@pytest.mark.django_db
def test_export_that_is_only_tried_says_how_much_and_writes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        order(email=EMAIL)
    path = tmp_path / "petra.json"
    outcome = run("export_customer", EMAIL, "--output", str(path), "--dry-run")
    assert outcome.out.strip() == (
        "would write 0 accounts, 2 orders, 0 failed sign ins, 0 idempotency keys"
    )
    assert not path.exists()


@pytest.mark.django_db
def test_export_of_nobody_fails() -> None:
    order(email=f"x{EMAIL}")
    for who in (EMAIL, USERNAME):
        with pytest.raises(CommandError, match=f"Nothing is held on {who}"):
            run("export_customer", who)


def test_export_after_an_erasure_holds_nothing(committed_db: None) -> None:
    placed = order_of(p10=1)
    Order.objects.filter(pk=placed.pk).update(email=EMAIL)
    OrderNote.objects.create(order=placed, text="x", author=user(email=EMAIL))
    run("erase_customer", EMAIL, f"--cancel={placed.pk}")
    with pytest.raises(CommandError, match="Nothing is held"):
        run("export_customer", EMAIL)
    assert not User.objects.filter(is_active=True).exists()
    assert OPERATOR.label == placed.events.latest("pk").actor
