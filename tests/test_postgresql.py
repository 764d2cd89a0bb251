"""Our way to PostgreSQL: connections that have gone, and statements that are planned once."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import NotSupportedError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from inventory_client.breaker import Breaker
from orderservice.database import DATABASE_OPTIONS
from orderservice.postgresql import base, patience, prepared
from tests.processes import database_url

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def stranger() -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url(), autocommit=True) as other:
        yield other


@pytest.fixture
def looked_at() -> base.DatabaseWrapper:
    """This thread's connection, with a request behind it that has looked at it."""
    wrapper = connection.copy(connection.alias)
    assert isinstance(wrapper, base.DatabaseWrapper)
    wrapper.ensure_connection()
    assert wrapper.is_usable()
    return wrapper


def backend_of(wrapper: base.DatabaseWrapper) -> int:
    return int(wrapper.connection.info.backend_pid)


def statements_of(stranger: psycopg.Connection, wrapper: base.DatabaseWrapper) -> str:
    found = stranger.execute(
        "SELECT query FROM pg_stat_activity WHERE pid = %s", [backend_of(wrapper)]
    ).fetchone()
    assert found
    return str(found[0])


def test_a_look_asks_the_server_nothing(
    stranger: psycopg.Connection, looked_at: base.DatabaseWrapper
) -> None:
    with looked_at.cursor() as cursor:
        cursor.execute("SELECT 'last'")
    assert looked_at.is_usable()
    assert statements_of(stranger, looked_at) == "SELECT 'last'"
    looked_at.close()


@pytest.mark.parametrize("why", ["error", "long ago"])
def test_a_connection_that_may_be_broken_is_asked(
    stranger: psycopg.Connection,
    looked_at: base.DatabaseWrapper,
    why: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if why == "error":
        looked_at.errors_occurred = True
    else:
        monkeypatch.setattr(base, "ASK_AFTER", 0.0)
    assert looked_at.is_usable()
    assert statements_of(stranger, looked_at) == "SELECT 1"
    looked_at.close()


def test_a_connection_that_the_server_has_ended_is_seen(
    stranger: psycopg.Connection, looked_at: base.DatabaseWrapper
) -> None:
    stranger.execute("SELECT pg_terminate_backend(%s, 5000)", [backend_of(looked_at)])
    assert not looked_at.is_usable()
    looked_at.close()


def test_a_notice_does_not_end_a_connection(
    stranger: psycopg.Connection, looked_at: base.DatabaseWrapper
) -> None:
    with looked_at.cursor() as cursor:
        cursor.execute("LISTEN word")
    stranger.execute("NOTIFY word")
    assert looked_at.is_usable()
    looked_at.close()


def names() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%answer%'"
        )
        return [statement for (statement,) in cursor.fetchall()]


def ask(value: int) -> int:
    with prepared() as cursor:
        cursor.execute("SELECT %s AS answer", [value])
        (answer,) = cursor.fetchone()
    return int(answer)


def test_a_statement_is_planned_once(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(2):
        assert [ask(1), ask(2)] == [1, 2]
    assert names() == ["SELECT $1 AS answer"]


def test_a_prepared_statement_is_shown_with_its_values_to_whoever_debugs() -> None:
    with CaptureQueriesContext(connection) as queries:
        ask(7)
    assert [each["sql"] for each in queries] == ["SELECT 7 AS answer"]


def test_nothing_is_prepared_where_the_pooler_can_t(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "prepare_threshold", None)
    connection.close()
    assert ask(1) == 1
    assert names() == []
    connection.close()


@pytest.fixture
def table() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE plan_test (word varchar(5))")
        yield
        cursor.execute("DROP TABLE plan_test")


def words() -> list[tuple[str]]:
    with prepared() as cursor:
        cursor.execute("SELECT word FROM plan_test")
        found: list[tuple[str]] = cursor.fetchall()
    return found


def test_a_plan_that_a_migration_has_changed_is_made_anew(
    table: None, stranger: psycopg.Connection
) -> None:
    assert words() == []
    stranger.execute("ALTER TABLE plan_test ALTER word TYPE varchar(9)")
    assert words() == []


def test_a_plan_that_has_changed_fails_a_transaction_and_not_the_next(
    table: None, stranger: psycopg.Connection
) -> None:
    assert words() == []
    stranger.execute("ALTER TABLE plan_test ALTER word TYPE varchar(9)")
    with pytest.raises(NotSupportedError), transaction.atomic():
        words()
    assert words() == []


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        (DATABASE_OPTIONS["options"], 17.0),
        ("-c statement_timeout=500", 2.5),
        ("-c statement_timeout=20s -c lock_timeout=1", 22.0),
        ("-c statement_timeout=2min", 122.0),
        ("-c statement_timeout=0", None),
        ("-c lock_timeout=5000", None),
        (None, None),
    ],
)
def test_answer_is_waited_for_a_little_longer_than_the_server_takes(
    monkeypatch: pytest.MonkeyPatch, options: str | None, seconds: float | None
) -> None:
    monkeypatch.setattr(patience, "_usual", None)
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"options": options})
    patience.give_up_after_the_server()
    assert patience.limit() == seconds
    with patience.patience(1.5):
        assert patience.limit() == 3.5
    assert patience.limit() == seconds


def test_answer_that_does_not_come_ends_the_connection(
    looked_at: base.DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is busy for longer than it is allowed to: as silent as a frozen one."""
    breaker = Breaker(failures=1, open_seconds=60)
    monkeypatch.setattr(patience, "breaker", breaker)
    monkeypatch.setattr(patience, "GRACE", 0.1)
    with patience.patience(0.2), pytest.raises(OperationalError):
        looked_at.cursor().execute("SELECT pg_sleep(2)")
    assert looked_at.connection.closed
    assert breaker.is_open
    with pytest.raises(psycopg.OperationalError, match="does not answer"):
        patience.Connection.connect(database_url())
    breaker._next_probe = 0.0  # a minute later
    patience.Connection.connect(database_url()).close()
    assert not breaker.is_open
