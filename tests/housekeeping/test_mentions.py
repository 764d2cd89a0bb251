"""Where staff have typed who a customer is: what is replaced, and what is left for a person."""

import pytest
from django.core.management import CommandError

from orders.housekeeping import mentions
from orders.models import Batch, Export, SavedFilter
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
    assert mentions.replace({blank}) == mentions.find({blank}) == {}
    run("erase_customer", blank)
    assert everything() == before
    assert mentions.find({blank, "door"}) == {"order notes": 1}


def test_names_are_replaced_only_when_somebody_says_so() -> None:
    """Or whoever calls themselves "was applied" would have the evidence of reviews erased."""
    finished(full_name="was applied")
    note = order().notes.create(text="It Was  applied: see its log. Washington was appliedx.")
    ann = staff("manager")
    mine = SavedFilter.objects.create(owner=ann, name="x", query="q=WAS+applied")
    other = SavedFilter.objects.create(owner=ann, name="y", query="q=was")

    outcome = run("erase_customer", EMAIL)

    assert outcome.err.startswith("Elsewhere 1 order notes, 1 saved filters name somebody who is")
    note.refresh_from_db()
    assert note.text.startswith("It Was  applied")
    assert mentions.find({"was applied"}) == {"order notes": 1, "saved filters": 1}
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
