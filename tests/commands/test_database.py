"""A database that fails is told in a sentence, and so is what was done by then."""

from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import InterfaceError, OperationalError, connection

from orders import lifecycle
from orders.models import Order
from tests.housekeeping.canary import EMAIL, finished
from tests.housekeeping.test_expiring import cancelled, old


@pytest.fixture(autouse=True)
def connected_again(committed_db: None) -> Iterator[None]:
    yield
    connection.close()  # and the next statement opens another


def cut() -> None:
    """End our connection at the server, as one that restarts does."""
    with suppress(OperationalError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.parametrize(
    "command",
    [
        ("erase_customer", EMAIL),
        ("export_customer", EMAIL),
        ("expire_orders", "--hours=24"),
        ("prune",),
        ("complete_orders", "--all-confirmed"),
        ("accept_stock",),
        ("resolve_stock",),
    ],
    ids=lambda command: command[0],
)
def test_command_says_that_the_database_fails(command: tuple[str, ...]) -> None:
    finished()
    cut()
    with pytest.raises(CommandError, match=r"^The database: .*\w"):
        call_command(*command, stdout=StringIO(), stderr=StringIO())


def test_reconcile_that_the_database_fails_in_any_way_could_not_run() -> None:
    """Its 1 would say that the ledger breaks an invariant."""

    def fail(*_: Any) -> None:
        raise InterfaceError

    with pytest.raises(CommandError) as failed, connection.execute_wrapper(fail):
        call_command("reconcile_stock", stdout=StringIO(), stderr=StringIO())
    assert (str(failed.value), failed.value.returncode) == ("The database: InterfaceError", 3)


def test_database_that_fails_on_the_way_leaves_told_what_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = old(), old()
    cancel = lifecycle.cancel

    def cancel_and_lose_the_connection(*args: Any, **options: Any) -> Order:
        order = cancel(*args, **options)
        cut()
        return order

    monkeypatch.setattr(lifecycle, "cancel", cancel_and_lose_the_connection)
    out = StringIO()
    with pytest.raises(CommandError, match=r"^The database: "):
        call_command("expire_orders", "--hours=24", stdout=out, stderr=StringIO())
    connection.close()
    assert out.getvalue() == "1 cancelled\n"
    assert cancelled() == [first.pk] != [first.pk, second.pk]
