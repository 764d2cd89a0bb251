"""Erasing a customer: nothing names them any more, and the books still add up."""

import re
from io import StringIO
from threading import Barrier, Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.errors import Forbidden
from orders.housekeeping import erasing, mentions, people, sweeping
from orders.models import Order, OrderEvent, OrderNote, StockBaseline, User
from tests.admin.desk import in_review
from tests.api.calls import create, guest, url
from tests.commands.running import run
from tests.factories import OPERATOR, actor, order, order_of, user
from tests.housekeeping import columns
from tests.housekeeping.canary import (
    EMAIL,
    NAME,
    PHONE,
    USERNAME,
    Canary,
    books,
    everything,
    finished,
    live,
)
from tests.signin.people import PASSWORD

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def canary(sandbox: Sandbox) -> Canary:
    return live(sandbox)


def test_every_column_is_erased_or_known_to_name_nobody(canary: Canary) -> None:
    secrets = canary.secrets.values()
    named = columns.naming(secrets)
    assert columns.that_speak() == named | columns.SILENT
    assert named & columns.SILENT == set()
    assert {"orders_order.email", "orders_export.selection"} <= columns.sampled(secrets)
    before = books()

    outcome = run("erase_customer", EMAIL, "--mention", NAME, "--mention", PHONE)

    assert columns.naming(secrets) == set()
    assert columns.sampled(secrets) == set()
    assert books() == before
    assert run("reconcile_stock").code == 0
    assert outcome.err == ""
    assert outcome.out == (
        "3 orders, 4 notes, 2 accounts, 2 idempotency keys, 1 failed sign-ins, 1 mentions in order"
        " notes, 1 mentions in exports, 1 mentions in stock baselines, 1 mentions in saved filters"
        " erased\n"
    )
    assert StockBaseline.objects.get().note == "Brought back by (erased), (erased), (erased)"
    [note] = canary.others.notes.all()
    assert note.text == "Goes to the neighbour, (erased), (erased), (erased)"


def test_erased_customer_gets_in_by_nothing_and_a_second_run_finds_nothing(canary: Canary) -> None:
    link = url(canary.guests)
    tag = guest().get(link).headers["ETag"]
    assert canary.token.get(url(canary.owned)).status_code == 200
    assert canary.session.get(url(canary.owned)).status_code == 200

    run("erase_customer", EMAIL)

    assert canary.token.get(url(canary.owned)).status_code == 401
    assert canary.session.get(url(canary.owned)).status_code == 404  # as to any guest
    for name in (USERNAME, EMAIL, f"erased-{canary.account.pk}"):
        given = {"username": name, "password": PASSWORD}
        assert guest().post("/api/auth/token", given, format="json").status_code == 401
    seen = guest().get(link, headers={"If-None-Match": tag})
    assert (seen.status_code, seen.json()["email"]) == (200, "erased@example.invalid")
    [event] = canary.guests.events.filter(kind="erased")
    assert (event.actor, event.via, event.data) == ("system", "command", {})

    before = everything()
    for who in (USERNAME, EMAIL, f"erased-{canary.account.pk}"):
        run("axes_reset")
        assert run("erase_customer", who).out == "nothing left to erase\n"
    assert everything() == before


def test_erasing_while_an_order_goes_on_changes_nothing(sandbox: Sandbox) -> None:
    reviewed, _ = in_review(sandbox)
    Order.objects.filter(pk=reviewed.pk).update(email=EMAIL)
    finished().notes.create(text="x")
    pending, confirmed = finished(status="PENDING"), finished(status="CONFIRMED")
    settling = finished(status="CANCELLED", stock_state="settling")
    before = everything()
    for arguments in ([], ["--cancel", str(pending.pk)], ["--dry-run"]):
        with pytest.raises(CommandError) as refused:
            run("erase_customer", EMAIL, *arguments)
        for each in (reviewed, confirmed, settling):
            assert f"#{each.pk} ({each.status}, stock {each.stock_state})" in str(refused.value)
        assert everything() == before


def test_erasing_cancels_first_what_it_is_told_to(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    pending, confirmed, others = order_of(p10=1), order_of(p10=2), order_of(p10=1)
    lifecycle.confirm(confirmed.pk, actor=OPERATOR)
    Order.objects.filter(pk__in=[pending.pk, confirmed.pk]).update(email=EMAIL)
    named = [f"--cancel={each.pk}" for each in (pending, confirmed)]

    rehearsed = run("erase_customer", EMAIL, *named, "--dry-run")
    assert (rehearsed.code, "would be cancelled" in rehearsed.out) == (0, True)
    bearing = finished(owner=user(username="ann", email="ann@canaryfinch.example"))
    rehearsed = run("erase_customer", EMAIL, *named, "--dry-run")
    assert (rehearsed.code, f"#{bearing.pk} of ann" in rehearsed.err) == (1, True)
    bearing.delete()
    with pytest.raises(CommandError, match=f"Not an order of {EMAIL}: #{others.pk}"):
        run("erase_customer", EMAIL, *named, f"--cancel={others.pk}")
    assert not Order.objects.filter(status="CANCELLED").exists()
    settling = finished(status="CANCELLED", stock_state="settling")
    with pytest.raises(CommandError, match=rf"on its way: #{settling.pk}\. Run this again"):
        run("erase_customer", EMAIL, *named, f"--cancel={settling.pk}")
    assert not OrderEvent.objects.filter(kind="erased").exists()

    Order.objects.filter(pk=settling.pk).update(stock_state="clear")
    assert "3 orders" in run("erase_customer", EMAIL, *named).out
    assert [event.kind for event in confirmed.events.all()][-4:] == [
        "confirmed",
        "cancelled",
        "restocked",
        "erased",
    ]
    assert confirmed.events.get(kind="cancelled").data == {"reason": "customer"}
    assert sandbox.store.items(offset=0, limit=1)[0].quantity == 45


def test_erasing_has_patience_from_its_first_statement_on() -> None:
    """A customer of very many orders has them changed, too, and not the notes of others alone."""
    finished()
    with CaptureQueriesContext(connection) as queries:
        erasing.erase(people.find(EMAIL), actor=OPERATOR)
    said = [each["sql"] for each in queries]
    patient = said.index("SET LOCAL statement_timeout = '5min'")
    assert patient < min(nth for nth, sql in enumerate(said) if "FOR UPDATE" in sql)
    assert patient < min(nth for nth, sql in enumerate(said) if sql.startswith("UPDATE"))


def test_erasing_leaves_everybody_else_alone() -> None:
    ann = user(username="ann", email="ann@canaryfinch.example")
    strangers = [
        finished(email=f"x{EMAIL}"),
        finished(email=f"{EMAIL}.au"),
        finished(owner=ann, email=ann.email),
    ]
    mine, bearing = finished(), finished(owner=ann)
    for each in strangers:
        each.notes.create(text=f"Not {NAME}, but x{EMAIL}, mary.{EMAIL}, {EMAIL}.au or {EMAIL}-x.")
    before = [Order.objects.filter(pk=each.pk).values().get() for each in strangers]
    texts = [note.text for note in OrderNote.objects.all()]

    outcome = run("erase_customer", EMAIL)
    assert outcome.code == 1
    assert f"  {EMAIL}: 1 orders (#{bearing.pk} of ann)\n" in outcome.err

    mine.refresh_from_db()
    assert mine.full_name == "Erased"
    assert [Order.objects.filter(pk=each.pk).values().get() for each in strangers] == before
    assert [note.text for note in OrderNote.objects.all()] == texts
    assert User.objects.filter(pk=ann.pk, is_active=True, username="ann").exists()

    again = run("erase_customer", EMAIL, f"--order={bearing.pk}")
    assert (again.code, again.out) == (0, "1 orders erased\n")
    assert Order.objects.filter(pk=bearing.pk, owner=ann, email="erased@example.invalid").exists()


def test_nobody_erases_but_the_operator() -> None:
    mine = finished()
    with pytest.raises(Forbidden):
        lifecycle.erase([mine.pk], actor=actor("manager"))
    mine.refresh_from_db()
    assert mine.full_name == NAME


def test_rehearsal_tells_all_and_changes_nothing(canary: Canary) -> None:
    before, named = everything(), columns.naming(canary.secrets.values())
    rehearsed = run("erase_customer", EMAIL, "--dry-run")
    assert (everything(), columns.naming(canary.secrets.values())) == (before, named)
    done = run("erase_customer", EMAIL)
    assert rehearsed.out.replace("would be erased", "erased") == done.out
    assert rehearsed.err == done.err != ""


def test_erasing_that_fails_at_its_end_has_changed_nothing(
    canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, named = everything(), columns.naming(canary.secrets.values())

    def fail(words: object) -> mentions.Mentions:
        raise RuntimeError("the process dies")

    monkeypatch.setattr(mentions, "find", fail)
    with pytest.raises(RuntimeError):
        run("erase_customer", EMAIL)
    assert (everything(), columns.naming(canary.secrets.values())) == (before, named)


def test_order_placed_while_its_account_is_closed_is_found_by_its_address(
    sandbox: Sandbox,
) -> None:
    sandbox.store.set_stock({"10": 45})
    account = user(email=EMAIL)
    person = people.find(EMAIL)
    erasing.erase(person, actor=OPERATOR)
    late = finished(owner=account)
    assert erasing.left(person) == [late.pk]
    create(guest(), email=EMAIL)
    with pytest.raises(CommandError, match="orders to go on with"):
        run("erase_customer", EMAIL)
    Order.objects.filter(status="PENDING").update(status="CANCELLED")
    assert "2 orders" in run("erase_customer", EMAIL).out


@pytest.mark.parametrize("status", ["PENDING", "COMPLETED"])
def test_order_placed_while_its_account_is_erased_by_name_is_erased_as_it_is_told(
    status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing leads to it any more: the name is gone, and so is the account's address."""
    petra = user(username="petra", email=EMAIL)
    late: list[Order] = []
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(
            sweeping, "sweep", lambda: late.append(finished(owner=petra, status=status))
        )
        with pytest.raises(CommandError, match="Placed meanwhile") as said:
            run("erase_customer", "petra")
    told = re.findall(r"--order \d+", str(said.value))
    assert told == [f"--order {late[0].pk}"]
    assert run("erase_customer", "petra").out == "nothing left to erase\n"

    again = [*told[0].split(), *([f"--cancel={late[0].pk}"] if status == "PENDING" else [])]
    outcome = run("erase_customer", "petra", *again)

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.endswith("1 orders erased\n")
    late[0].refresh_from_db()
    assert late[0].full_name == "Erased"


@pytest.mark.parametrize("who", [EMAIL, "petra"])
def test_erasure_that_has_cancelled_can_be_repeated(
    who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after one that died before it cleaned up."""
    petra = user(username="petra", email=EMAIL)
    placed, of_another = finished(owner=petra, status="PENDING"), order(status="COMPLETED")
    command = ["erase_customer", who, f"--cancel={placed.pk}"]
    assert "1 orders" in run(*command).out
    swept: list[str] = []
    monkeypatch.setattr(sweeping, "sweep", lambda: swept.append("swept"))

    assert run(*command, "--dry-run").out == run(*command).out == "nothing left to erase\n"
    assert swept == ["swept"]
    with pytest.raises(CommandError, match=f": #{of_another.pk}, #999999999. Nothing was done"):
        run(*command, f"--cancel={of_another.pk}", "--cancel=999999999")
    with pytest.raises(CommandError, match=f": #{placed.pk}. Nothing was done"):
        Order.objects.update(status="PENDING")  # whoever calls themselves so
        run(*command)


class Closed(StringIO):
    """What a pipe is whose reader has gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_what_only_a_person_can_tell_is_told_before_all_else() -> None:
    mine, bearing = finished(), finished(owner=user(username="ann"))
    with pytest.raises(BrokenPipeError):
        call_command("erase_customer", EMAIL, stdout=StringIO(), stderr=Closed())
    mine.refresh_from_db()
    assert mine.full_name == NAME  # for nobody could find out again

    told = StringIO()
    with pytest.raises(BrokenPipeError):
        call_command("erase_customer", EMAIL, stdout=Closed(), stderr=told)
    mine.refresh_from_db()
    assert mine.full_name == "Erased"
    assert f"#{bearing.pk} of ann" in told.getvalue()


def test_two_at_once_erase_each_order_once() -> None:
    user(email=EMAIL)
    for _ in range(5):
        finished()
    begin, erased = Barrier(2), []

    def erase() -> None:
        try:
            person = people.find(EMAIL)
            begin.wait()
            erased.append(erasing.erase(person, actor=OPERATOR))
        finally:
            connection.close()

    threads = [Thread(target=erase) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((each.orders, each.accounts) for each in erased) == [(0, 0), (5, 1)]
    assert OrderEvent.objects.filter(kind="erased").count() == 5
