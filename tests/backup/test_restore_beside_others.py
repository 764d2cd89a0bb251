"""``restore_db`` where the database has what is another service's, in ``public`` or beside it."""

import json
from pathlib import Path
from unittest.mock import patch

import psycopg
import pytest
from django.core.management import CommandError
from django.db import connection

from orders.models import Order
from orderservice.postgresql import direct
from tests.backup import databases
from tests.commands.running import run
from tests.factories import order_of
from tests.processes import database_url

pytestmark = pytest.mark.xdist_group("backup")  # one copy of the migrated database


@pytest.mark.parametrize("with_orders", [True, False])
def test_restore_where_something_is_another_s_is_refused_until_it_is_moved(
    dump: Path, shop: str, *, with_orders: bool
) -> None:
    connection.close()
    if not with_orders:
        databases.create(shop)
    with psycopg.connect(database_url(), autocommit=True) as theirs:
        theirs.execute(
            "CREATE TABLE books (id serial); INSERT INTO books DEFAULT VALUES;"
            "CREATE TABLE auth_user (id integer);"  # as any Django service may have one
            "CREATE VIEW seen AS SELECT FROM books; CREATE SEQUENCE apart;"
            "CREATE FUNCTION felt() RETURNS integer LANGUAGE sql AS 'SELECT 1';"
            "CREATE TYPE mood AS ENUM ('fine')"
        )
    for more in ((), ("--dry-run",), ("--replace",), ("--replace", "--dry-run")):
        with pytest.raises(CommandError, match="auth_user, books, seen, apart, felt and 1 more"):
            run("restore_db", str(dump), *more)
    with psycopg.connect(database_url(), autocommit=True) as theirs:
        theirs.execute(
            "CREATE SCHEMA theirs; ALTER TABLE books SET SCHEMA theirs;"
            "ALTER VIEW seen SET SCHEMA theirs; ALTER SEQUENCE apart SET SCHEMA theirs;"
            "ALTER FUNCTION felt SET SCHEMA theirs; ALTER TYPE mood SET SCHEMA theirs;"
            "DROP TABLE auth_user"
        )
    run("restore_db", str(dump))
    with psycopg.connect(database_url()) as theirs:
        assert theirs.execute("SELECT FROM theirs.seen").rowcount == 1
    assert Order.objects.count() == 1


def test_restore_leaves_other_schemas_alone_though_the_backup_has_them(
    shop: str, folder: Path
) -> None:
    """As the one that another service's tables were moved to, and that of a report's view."""
    with connection.cursor() as cursor:
        cursor.execute(
            'CREATE SCHEMA "their own"; COMMENT ON SCHEMA "their own" IS \'not ours\';'
            "CREATE SCHEMA theirs; CREATE TABLE theirs.books (id serial PRIMARY KEY);"
            "CREATE VIEW theirs.report AS SELECT number FROM orders_order;"
            "CREATE PUBLICATION theirs FOR TABLE orders_order;"
            'ALTER EXTENSION pg_trgm SET SCHEMA "their own"'
        )
    dump = json.loads(run("backup_db", "--to", str(folder), "--json").out)["file"]
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO theirs.books DEFAULT VALUES")
    order_of(p9=1)

    run("restore_db", dump, "--replace")

    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM theirs.books")
        assert cursor.rowcount == 1  # which the backup has not
    assert not Order.objects.exists()
    order_of(p9=1)
    connection.close()
    databases.create(shop)
    run("restore_db", dump)
    assert not Order.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extnamespace::regnamespace::text, to_regclass('theirs.books')"
            " FROM pg_extension WHERE extname = 'pg_trgm'"
        )
        assert cursor.fetchone() == ('"their own"', None)


def test_restore_waits_for_nothing_that_is_another_s(dump: Path, shop: str) -> None:
    """It would vacuum for as long as theirs is large, or fail at a lock after a minute."""
    connection.close()
    with psycopg.connect(database_url()) as theirs:
        theirs.execute("CREATE SCHEMA theirs; CREATE TABLE theirs.books (id integer)")
        theirs.commit()
        theirs.execute("LOCK TABLE theirs.books")
        with patch.dict(direct._TERMS, options="-c lock_timeout=1s"):
            run("restore_db", str(dump), "--ignore-connections")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_user_tables WHERE relname LIKE 'orders\\_%'"
            " AND (last_vacuum IS NULL OR last_analyze IS NULL)"
        )
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("what", ["TABLE books (id integer)", "SEQUENCE apart"])
def test_restore_refuses_what_is_another_s_though_the_backup_has_it(
    shop: str, folder: Path, what: str
) -> None:
    """What has come into it since is in no backup; and nobody asks where we have no orders."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE {what}")
    dump = json.loads(run("backup_db", "--to", str(folder), "--json").out)["file"]
    connection.close()
    for more in ((), ("--dry-run",), ("--replace",)):
        with pytest.raises(CommandError, match=rf"not this service's: {what.split()[1]}\."):
            run("restore_db", dump, *more)


def test_restore_refuses_to_drop_what_other_schemas_hold_by_our_types(
    dump: Path, shop: str
) -> None:
    """As a report's table that was made of ours: CASCADE takes the columns, values and all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE SCHEMA report;"
            "CREATE TABLE report.jobs AS SELECT status FROM procrastinate_jobs;"
            "CREATE TABLE report.seen (orders orders_order[]);"
            "CREATE DOMAIN report.state AS procrastinate_job_status;"
            "CREATE TYPE report.pair AS (state report.state, how_many bigint);"
            "CREATE TABLE report.pairs (pairs report.pair[]);"
            "CREATE TABLE report.old () INHERITS (orders_ordernote);"
            "CREATE TABLE report.counts (on_day date, how_many bigint)"
        )
    for more in ((), ("--dry-run",), ("--replace",)):
        with pytest.raises(
            CommandError, match=r": report\.jobs, report\.old, report\.pairs, report\.seen\. A"
        ):
            run("restore_db", str(dump), *more)
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE report.jobs ALTER status TYPE text; DROP TABLE report.seen, report.old,"
            " report.pairs"
        )
    run("restore_db", str(dump))
    with connection.cursor() as cursor:
        cursor.execute("SELECT status FROM report.jobs")
    assert Order.objects.count() == 1


def test_restore_where_a_table_is_called_as_ours_names_it_and_wants_to_be_told(
    dump: Path, shop: str
) -> None:
    """A newer release's goes; but nothing tells it from another service's, orders or none."""
    connection.close()
    databases.create(shop)
    with psycopg.connect(database_url(), autocommit=True) as theirs:
        theirs.execute("CREATE TABLE orders_of_2019 (id integer); CREATE VIEW orders_all AS SELECT")
    for more in ((), ("--dry-run",)):
        with pytest.raises(CommandError, match=r"has orders_of_2019, which neither .* --replace"):
            run("restore_db", str(dump), *more)
    said = run("restore_db", str(dump), "--replace", "--dry-run").out
    assert "of 0 orders and 0 accounts, and orders_of_2019, which the backup does not have" in said
    run("restore_db", str(dump), "--replace")
    assert Order.objects.count() == 1
