"""Old versions of rows: they are taken out, or somebody is told that they were not."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from orders.housekeeping import erasing, people, sweeping
from orderservice.postgresql import direct
from tests.commands.running import run
from tests.factories import OPERATOR, user
from tests.housekeeping import columns
from tests.housekeeping.canary import EMAIL, finished
from tests.housekeeping.locks import held

pytestmark = pytest.mark.usefixtures("committed_db")

KEPT = "PostgreSQL still keeps old versions of rows, until this or VACUUM is run: "


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "_PATIENCE", 0.2)


@contextmanager
def connected(**parameters: str) -> Iterator[psycopg.Connection]:
    """Connect as somebody else."""
    with psycopg.connect(make_conninfo(**direct.parameters() | parameters)) as other:
        yield other


def ask(statement: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def clean() -> bool:
    """Tell whether no row is left in the orders' table that is no more."""
    with connected(options="-c lc_messages=C") as vacuum:
        said: list[str] = []
        vacuum.autocommit = True
        vacuum.add_notice_handler(lambda notice: said.append(str(notice.message_primary)))
        vacuum.execute("VACUUM (VERBOSE) orders_order")
    tuples = re.findall(r"tuples: (\d+) removed, \d+ remain, (\d+) are dead", "".join(said))
    return {*tuples} == {("0", "0")}


def test_second_run_cleans_up_after_one_that_died() -> None:
    for _ in range(2):
        finished()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orders_order")
    erasing.erase(people.find(EMAIL), actor=OPERATOR)
    assert "orders_order.email" in columns.sampled({EMAIL})

    assert run("erase_customer", EMAIL, "--dry-run").out == "nothing left to erase\n"
    assert "orders_order.email" in columns.sampled({EMAIL})
    outcome = run("erase_customer", EMAIL)

    assert (outcome.out, outcome.err) == ("nothing left to erase\n", "")
    assert "orders_order.email" not in columns.sampled({EMAIL})
    assert clean()


def test_sweep_says_that_somebody_may_still_read_the_rows() -> None:
    """As pg_dump does: VACUUM leaves what it may read, and succeeds."""
    mine = finished()
    with connected() as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        read = reader.execute("SELECT email FROM orders_order").fetchone()
        outcome = run("erase_customer", EMAIL)
        assert reader.execute("SELECT email FROM orders_order").fetchone() == read == (EMAIL,)
        assert not clean()
    assert (outcome.code, outcome.out) == (2, "1 orders erased\n")
    assert (
        outcome.err
        == f"{KEPT}a transaction that began before, as a backup's, may still read them\n"
    )
    mine.refresh_from_db()
    assert mine.full_name == "Erased"

    again = run("erase_customer", EMAIL)
    assert (again.code, again.err) == (0, "")
    assert clean()


def test_sweep_says_that_it_had_to_wait_for_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "_TERMS", {"options": "-c lock_timeout=50"})
    with held("LOCK TABLE orders_order IN SHARE UPDATE EXCLUSIVE MODE"):
        outcome = run("erase_customer", EMAIL)
    assert outcome.code == 2
    assert outcome.err == f"{KEPT}canceling statement due to lock timeout (SQLSTATE 55P03)\n"


def test_sweep_by_who_may_not_clean_up_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who owns no table gets a warning from VACUUM, and no error."""
    monkeypatch.setattr(direct, "_TERMS", {"options": "-c role=pg_read_all_data"})
    outcome = run("erase_customer", EMAIL)
    assert outcome.code == 2
    assert outcome.err.startswith(KEPT)
    assert '"orders_savedfilter"' in outcome.err  # in words that PostgreSQL 16 has changed


def test_order_to_look_at_outweighs_rows_that_are_not_swept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever repeats this until it is 0 must not do so for ever."""
    finished(owner=user())
    monkeypatch.setattr(direct, "_TERMS", {"options": "-c role=pg_read_all_data"})
    outcome = run("erase_customer", EMAIL)
    assert outcome.code == 1
    assert KEPT in outcome.err


def test_sweep_leaves_nothing_set_on_a_connection_that_others_get() -> None:
    """Behind a pooler a setting of a session reaches whoever has its connection next."""
    before = ask("SELECT pg_backend_pid() || current_setting('statement_timeout')")
    with connection.execute_wrapper(forbidden):
        sweeping.sweep()
    assert ask("SELECT pg_backend_pid() || current_setting('statement_timeout')") == before


def forbidden(*args: object) -> None:
    raise AssertionError("the service's own connection is used")
