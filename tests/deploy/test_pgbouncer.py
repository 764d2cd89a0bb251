"""Behind a transaction pooler: PgBouncer, which lends a server connection for one transaction."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import requests
from django.core.management import CommandError
from django.db import connection
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders.models import Order
from tests.api.calls import body, item, key_of
from tests.commands.running import run
from tests.deploy.serving import served
from tests.factories import staff, stock
from tests.processes import free_port, wait_for, worker

POOL = 3  # server connections, for two processes of eight threads each

pytestmark = [
    pytest.mark.usefixtures("committed_db"),
    pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="no PgBouncer here"),
]


@pytest.fixture
def pooler(tmp_path: Path) -> Iterator[int]:
    """A PgBouncer before the test's database; its port."""
    port, at = free_port(), connection.settings_dict
    tmp_path.chmod(0o777)
    configuration = tmp_path / "pgbouncer.ini"
    configuration.write_text(
        f"""
        [databases]
        * = host={at["HOST"]} port={at["PORT"] or 5432} user={at["USER"]}
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = {port}
        unix_socket_dir =
        auth_type = any
        admin_users = pgbouncer
        pool_mode = transaction
        default_pool_size = {POOL}
        max_client_conn = 100
        ignore_startup_parameters = extra_float_digits, options
        """.replace("        ", "")
    )
    command = ["pgbouncer", "-q", str(configuration)]
    if os.geteuid() == 0:
        owner = Path(at["HOST"]).owner()
        command[1:1] = ["-u", owner]
    process = subprocess.Popen(command)
    try:
        wait_for(lambda: _answers(port))
        yield port
    finally:
        process.kill()
        process.wait()


def _url(port: int, database: str) -> str:
    return f"postgresql://{connection.settings_dict['USER']}@127.0.0.1:{port}/{database}"


def _answers(port: int) -> bool:
    try:
        psycopg.connect(_url(port, connection.settings_dict["NAME"])).close()
    except psycopg.OperationalError:
        return False
    return True


def test_backup_through_a_pooler_is_refused(
    pooler: int, tmp_path: Path, settings: Settings
) -> None:
    """No lock outlives a transaction there, and what pg_dump sets would be another's."""
    settings.WORKER_DATABASE_URL = _url(pooler, connection.settings_dict["NAME"])
    with pytest.raises(CommandError, match="A pooler stands before the database"):
        run("backup_db", "--to", str(tmp_path))


def test_service_behind_a_transaction_pooler_places_confirms_and_lists(
    pooler: int, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.store.set_stock({str(number): 100 for number in range(20)})
    headers = {"Authorization": f"Api-Key {key_of(staff('manager'))}"}
    variables = {
        "DATABASE_URL": _url(pooler, connection.settings_dict["NAME"]),
        "DATABASE_PREPARED_STATEMENTS": "0",
        "INVENTORY_SERVICE_URL": sandbox.url,
        "WEB_CONCURRENCY": "2",
        "API_THROTTLES": "off",
    }

    def work(number: int) -> tuple[int, int, int]:
        at = f"http://localhost:{web.port}/api/orders"
        order = body(items=[item(product_id=str(number % 20), quantity=1)])
        placed = requests.post(at, json=order, headers=headers, timeout=60)
        confirmed = requests.patch(
            f"{at}/{placed.json()['id']}/status",
            json={"status": "CONFIRMED"},
            headers=headers,
            timeout=60,
        )
        listed = requests.get(at, headers=headers, timeout=60)
        return placed.status_code, confirmed.status_code, listed.status_code

    with served(tmp_path / "log", **variables) as web, worker(sandbox.url):
        with ThreadPoolExecutor(12) as clients:
            answers = set(clients.map(work, range(60)))
        with psycopg.connect(_url(pooler, "pgbouncer"), autocommit=True) as console:
            servers = console.execute("SHOW SERVERS", prepare=False).fetchall()
        wait_for(lambda: Order.objects.filter(status="CONFIRMED").count() == 60, within=60)

    assert {placed for placed, _, _ in answers} == {201}
    assert {confirmed for _, confirmed, _ in answers} <= {200, 202}
    assert {listed for _, _, listed in answers} == {200}
    assert sum(stock(sandbox).values()) == 20 * 100 - 60
    assert 0 < len(servers) <= POOL
    assert b"ERROR" not in (tmp_path / "log").read_bytes()
