"""Where staff have typed who a customer is: what is replaced, and what is left for a person."""

import pytest
from django.core.management import CommandError

from orders.housekeeping import mentions, traces
from orders.models import Batch, Export, Order, SavedFilter
from tests.commands.running import run
from tests.factories import order, staff, user
from tests.housekeeping.canary import EMAIL, everything, finished

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.mark.parametrize("blank", ["", " ", "\n", "@", "-"])
def test_what_is_no_word_is_named_nowhere_and_replaced_nowhere(blank: str) -> None:
    """An empty pattern is found everywhere: "$PHONE" of a variable that is not set is one."""
    ann = staff("manager", email="")
    order().notes.create(text="Meet at the door @ 5 - or later.")
    Batch.objects.create(actor="system", via="command", selected=1, note="All - of them @ once")
    Export.objects.create(user=ann, kind="orders", selection="Search: @ - x")
    SavedFilter.objects.create(owner=ann, name="@ - x", query="q=%40+-")
    user(username="petra", email="")
    before = everything()

    with pytest.raises(CommandError, match="A --mention is blank"):
        run("erase_customer", "petra", "--mention", blank)
    assert everything() == before
    assert (mentions.replace({blank}), mentions.find({blank})) == ({}, [])
    run("erase_customer", blank)
    assert everything() == before
    [trace] = mentions.find({blank, "door"})
    assert (trace.word, trace.where, trace.rows) == ("door", "order notes", 1)


def test_names_are_replaced_only_when_somebody_says_so() -> None:
    """Or whoever calls themselves "was applied" would have the evidence of reviews erased."""
    finished(full_name="was applied")
    note = order().notes.create(text="It Was  applied: see its log. Washington was appliedx.")
    ann = staff("manager")
    mine = SavedFilter.objects.create(owner=ann, name="x", query="q=WAS+applied")
    other = SavedFilter.objects.create(owner=ann, name="y", query="q=was")

    outcome = run("erase_customer", EMAIL)

    assert outcome.code == 0
    assert outcome.err == (
        "Not known to be theirs, and left as it is:\n"
        f'  was applied: 1 order notes (of #{note.order_id}), 1 saved filters ("x")\n'
        "See who is meant in what staff have typed, and have it replaced with --mention.\n"
    )
    note.refresh_from_db()
    assert note.text.startswith("It Was  applied")
    later = run("erase_customer", EMAIL, "--mention", "was applied")
    assert later.out == "1 mentions in order notes, 1 mentions in saved filters erased\n"
    note.refresh_from_db()
    assert note.text == "It (erased): see its log. Washington was appliedx."
    assert [each.pk for each in SavedFilter.objects.all()] == [other.pk]
    assert mine.pk != other.pk


def test_batch_for_others_too_keeps_its_note_without_the_address() -> None:
    mine, another = finished(), finished(email="x@example.net")
    batches = [
        Batch.objects.create(actor="system", via="command", selected=1, note=f"Ask {EMAIL}, please")
        for _ in range(2)
    ]
    batches[0].entries.create(order=mine)
    batches[1].entries.create(order=mine)
    batches[1].entries.create(order=another)
    run("erase_customer", EMAIL)
    assert [each.note for each in Batch.objects.order_by("pk")] == [
        "Erased.",
        "Ask (erased), please",
    ]


def test_what_only_a_person_can_tell_is_said_before_and_after_and_left_as_it_is() -> None:
    """Once the orders are erased, nobody can find out any more what else names their customer."""
    petra = user(username="petra", email=EMAIL)
    work, mothers = "petra.work@example.net", "mother@example.net"
    for address in (work, work.upper(), mothers, EMAIL.upper()):
        finished(owner=petra, email=address).notes.create(text=f"Of petra, {work}")
    mother = finished(owner=user(username="mother", email=mothers), email=mothers)
    guests = finished(email=work)
    noted = order()
    noted.notes.create(text=f"Goes with the parcels of petra, {work.upper()}, {EMAIL}")
    noted.notes.create(text="Petra rang")
    ann = staff("manager", username="ann")
    export = Export.objects.create(user=ann, kind="orders", selection=f"Search: {mothers}")
    SavedFilter.objects.create(owner=ann, name="Work", query=f"q={work}")

    rehearsed = run("erase_customer", "petra", "--dry-run")
    done = run("erase_customer", "petra")

    assert (rehearsed.code, rehearsed.err) == (done.code, done.err)
    assert done.code == 1  # there is one to look at
    assert done.err.splitlines() == [
        "Not known to be theirs, and left as it is:",
        f"  {mothers}: 1 users (mother), 1 orders (#{mother.pk} of mother),"
        f" 1 exports ({export.pk})",
        f"  {work}: 1 orders (#{guests.pk} of a guest), 1 order notes (of #{noted.pk}),"
        ' 1 saved filters ("Work")',
        f"  petra: 2 order notes (of #{noted.pk})",
        "See who is meant in what staff have typed, and have it replaced with --mention.",
        "See whose the other accounts and orders are: erase what is theirs by username or address,"
        " or name orders with --order.",
    ]
    naming = Order.objects.exclude(full_name="Erased")
    assert set(naming) == {mother, guests, noted}
    assert [each.text for each in noted.notes.all()] == [
        f"Goes with the parcels of petra, {work.upper()}, (erased)",
        "Petra rang",
    ]
    assert SavedFilter.objects.exists()

    run("erase_customer", work, "--mention", "petra")
    assert [each.text for each in noted.notes.all()] == [
        "Goes with the parcels of (erased), (erased), (erased)",
        "(erased) rang",
    ]
    assert not SavedFilter.objects.exists()


def test_of_very_many_names_the_commonest_are_looked_for_and_the_rest_are_counted() -> None:
    seller = user(username="seller", email="")
    for nth in range(traces.MOST + 3):
        finished(owner=seller, full_name=f"Buyer {nth}", email=f"{nth}@example.net")
    finished(owner=seller, full_name="Buyer Often", email="often@example.net")
    finished(owner=seller, full_name="Buyer Often", email="often@example.net")
    order().notes.create(text="For Buyer Often, often@example.net, or Buyer 9")
    outcome = run("erase_customer", "seller", "--dry-run")
    assert "  Buyer Often: 1 order notes" in outcome.err
    assert "  often@example.net: 1 order notes" in outcome.err
    assert "  8 more names and addresses of their orders were not looked for\n" in outcome.err
