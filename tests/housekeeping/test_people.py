"""Whom a name stands for: one customer, and never anybody else."""

import json
from collections.abc import Callable

import pytest
from axes.models import AccessAttempt
from django.core.management import CommandError

from orders.models import Order, User
from orderservice import redaction
from tests.api.calls import guest, key_of
from tests.commands.running import run
from tests.factories import staff, user
from tests.housekeeping.canary import EMAIL, everything, finished

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.mark.parametrize("make", [lambda: staff("viewer"), lambda: key_of(user()), None])
def test_staff_and_services_are_no_customers(make: Callable[[], object] | None) -> None:
    if make is None:
        user(is_superuser=True)
    else:
        make()
    who = User.objects.get()
    finished(email=who.email)
    before = everything()
    for command in ("erase_customer", "export_customer"):
        with pytest.raises(CommandError, match="is of staff or of a service") as refused:
            run(command, who.email)
        assert who.username in str(refused.value)
        assert who.username not in redaction.stack(refused.value)  # as --traceback would log it
    assert everything() == before


@pytest.mark.parametrize("who", ["", " ", "@", "nobody"])
def test_whoever_is_named_by_nothing_is_nobody(who: str) -> None:
    user(email="")
    user(username="Nobody")
    finished(email="")
    before = everything()
    assert run("erase_customer", who).out == "nothing left to erase\n"
    assert everything() == before


def test_orders_that_do_not_exist_are_refused_and_nothing_is_done() -> None:
    """A number that is mistyped would be left out, and nobody would know."""
    mine = finished()
    before = everything()
    for number in (mine.pk + 1, -1, 10**30):
        with pytest.raises(CommandError, match=f"There is no order #{number}. Nothing was done"):
            run("erase_customer", EMAIL, f"--order={mine.pk}", f"--order={number}")
    assert everything() == before


def test_username_says_nothing_of_another_account_with_its_address() -> None:
    """It may be a family's address, or staff's: then a name is not an address."""
    petra = user(username="petra", email=EMAIL)
    shared = [user(username="paul", email=EMAIL.upper()), staff("viewer", username="ann")]
    User.objects.filter(username="ann").update(email=EMAIL)
    mine = finished(owner=petra)
    others = [finished(owner=shared[0]), finished(), finished(owner=shared[1])]
    others[1].notes.create(text=f"Paul called, {EMAIL}")
    guest().post("/api/auth/token", {"username": EMAIL, "password": "x"}, format="json")
    before = everything()

    rehearsed = run("erase_customer", "petra", "--dry-run")
    assert everything() == before
    done = run("erase_customer", "petra")

    paul_s, guests, ann_s = (each.pk for each in others)
    said = f"#{paul_s} of paul, #{guests} of a guest, #{ann_s} of ann"
    assert f"  {EMAIL}: 2 users (paul, ann), 3 orders ({said}), 1 order notes (of" in done.err
    assert (done.code, done.err) == (rehearsed.code, rehearsed.err)
    assert done.out == "1 orders, 1 accounts erased\n"
    assert everything() != before
    mine.refresh_from_db()
    assert mine.full_name == "Erased"
    assert {each.pk for each in Order.objects.exclude(full_name="Erased")} == {
        each.pk for each in others
    }
    assert others[1].notes.get().text == f"Paul called, {EMAIL}"
    assert AccessAttempt.objects.filter(username=EMAIL).exists()
    assert User.objects.filter(email__iexact=EMAIL, is_active=True).count() == 2

    with pytest.raises(CommandError, match="The account ann is of staff"):
        run("erase_customer", EMAIL)
    User.objects.filter(username="ann").update(email="ann@example.net")
    assert run("erase_customer", EMAIL).out.startswith("2 orders, 1 notes, 1 accounts, 1 failed")


def test_rehearsal_before_orders_are_cancelled_tells_which_others_bear_the_address() -> None:
    pending = finished(status="PENDING")
    bearing = finished(owner=user(username="ann"))
    outcome = run("erase_customer", EMAIL, f"--cancel={pending.pk}", "--dry-run")
    assert outcome.out.startswith(f"#{pending.pk} would be cancelled; ")
    assert f"  {EMAIL}: 1 orders (#{bearing.pk} of ann)" in outcome.err


def test_export_by_username_leaves_out_what_its_address_alone_tells() -> None:
    user(username="petra", email=EMAIL)
    user(username="paul", email=EMAIL)
    placed = finished()
    outcome = run("export_customer", "petra")
    document = json.loads(outcome.out)
    assert (document["emails"], document["orders"]) == ([], [])
    assert f"  {EMAIL}: 1 users (paul), 1 orders (#{placed.pk} of a guest)" in outcome.err
    assert len(json.loads(run("export_customer", EMAIL).out)["accounts"]) == 2
