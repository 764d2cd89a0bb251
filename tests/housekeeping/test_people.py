"""Whom a name stands for: one customer, and never anybody else."""

from collections.abc import Callable

import pytest
from django.core.management import CommandError

from orders.models import User
from tests.api.calls import key_of
from tests.commands.running import run
from tests.factories import staff, user
from tests.housekeeping.canary import everything, finished

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
        with pytest.raises(CommandError, match="is of staff or of a service"):
            run(command, who.email)
    assert everything() == before


@pytest.mark.parametrize("who", ["", " ", "@", "nobody"])
def test_whoever_is_named_by_nothing_is_nobody(who: str) -> None:
    user(email="")
    user(username="Nobody")
    finished(email="")
    before = everything()
    assert run("erase_customer", who).out == "nothing left to erase\n"
    assert everything() == before
