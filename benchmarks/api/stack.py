"""What is measured, and what it needs: PostgreSQL, the inventory, our service and the control."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from benchmarks.api import cpu
from orderservice.dev import postgres
from orderservice.dev.postgres_cluster import ROLE, Cluster
from tests.chaos.forks import ROOT
from tests.chaos.upstream import Upstream
from tests.processes import ask, die_with_the_harness, empty_sandbox, free_port

WORKERS = 2  # processes of each server
LOGIN = "bench"
# Limits that count and never refuse.
RATES = "orders=999999999/day,status=999999999/day,lists=999999999/day,keys=999999999/day"


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is measured. ``pid`` is that of its processes' parent, 0 for one elsewhere."""

    name: str
    url: str
    headers: Mapping[str, str]  # what a call by staff carries
    pid: int = 0
    database: str = ""

    def cpu(self) -> float:
        """Return the milliseconds of CPU that it has had."""
        return cpu.used(self.pid) if self.pid else float("nan")


class Stack:
    """All of it on this machine, in a folder that is removed at the end."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="orderservice-bench-"))
        self._cluster = Cluster.of(self._folder)
        self._running: list[subprocess.Popen[bytes]] = []
        self._password = secrets.token_urlsafe(20)
        self.binaries = self._cluster.binaries

    def __enter__(self) -> Self:
        try:
            postgres.ensure_running(self._folder)
            self._require_passwords()
            sandbox, address = empty_sandbox(self._folder / "inventory.sqlite3")
            self._running.append(sandbox)
            self.upstream = Upstream(address)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def database(self, name: str) -> str:
        """Make an empty database; return its URL."""
        with psycopg.connect(self._cluster.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self._cluster.url(name).replace(f"//{ROLE}@", f"//{LOGIN}:{self._password}@")

    def postgres_cpu(self) -> float:
        """Return the milliseconds of CPU that PostgreSQL has had."""
        return cpu.used(int((self._cluster.data / "postmaster.pid").read_text().split()[0]))

    def ours(self, database: str, *, orders: int, name: str = "ours") -> Server:
        """Start our service as it is deployed, on a database with so many orders.

        It is behind a proxy that does TLS, as the requests' headers say.
        """
        port = free_port()
        environment = {
            "DEBUG": "0",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ALLOWED_HOSTS": "localhost",
            "DATABASE_URL": database,
            "INVENTORY_SERVICE_URL": self.upstream.url,
            "API_THROTTLES": RATES,
            "TRUSTED_PROXIES": "127.0.0.1",
            "WEB_CONCURRENCY": str(WORKERS),
            "PORT": str(port),
        }
        self._manage(environment, "migrate", "--verbosity", "0")
        self._manage(environment, "seed_demo", "--orders", str(orders), "--yes")
        key = self._manage(
            environment, "create_api_key", "--name", "benchmark", "--role", "manager"
        )
        process = self._start("gunicorn", "orderservice.wsgi", environment=environment, port=port)
        headers = {"Authorization": f"Api-Key {key}"}
        return Server(name, f"http://localhost:{port}", headers, process.pid, database)

    def control(self, database: str) -> Server:
        """Start the control on a schema of its own in our database, with our orders in it."""
        port, token = free_port(), secrets.token_hex(20)
        environment = {
            "DATABASE_URL": f"{database}?options=-c%20search_path%3Dusual",
            "INVENTORY_SERVICE_URL": self.upstream.url,
            "DJANGO_SETTINGS_MODULE": "benchmarks.usual.settings",
        }
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("CREATE SCHEMA usual")
            self._manage(environment, "migrate", "--run-syncdb", "--verbosity", "0")
            connection.execute(_COPY)
            connection.execute(_TOKEN, {"token": token})
            connection.execute("VACUUM (ANALYZE) usual.usual_order, usual.usual_orderitem")
        options = ["--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS)]
        options += ["--config", "/dev/null", "--access-logfile", "-"]
        process = self._start(
            "gunicorn", "benchmarks.usual.wsgi", *options, environment=environment, port=port
        )
        headers = {"Authorization": f"Token {token}"}
        return Server("control", f"http://localhost:{port}", headers, process.pid, database)

    def _require_passwords(self) -> None:
        """Have whoever connects show a password, as in production; a new connection pays for it."""
        rules = self._cluster.data / "pg_hba.conf"
        rules.write_text(f"local all {LOGIN} scram-sha-256\n{rules.read_text()}")
        with psycopg.connect(self._cluster.url("postgres"), autocommit=True) as connection:
            role = sql.SQL("CREATE ROLE {} SUPERUSER LOGIN PASSWORD {}")
            connection.execute(role.format(sql.Identifier(LOGIN), sql.Literal(self._password)))
            connection.execute("SELECT pg_reload_conf()")

    def _start(
        self, *command: str, environment: Mapping[str, str], port: int
    ) -> subprocess.Popen[bytes]:
        """Start a server, whose log goes to a file, and wait until it answers."""
        with (self._folder / f"{port}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env={**os.environ, **environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_the_harness,
            )
        self._running.append(process)
        deadline = time.monotonic() + 30
        while ask(port, "/health")[0] != 200:
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError((self._folder / f"{port}.log").read_text()[-2000:])
            time.sleep(0.02)
        return process

    def _manage(self, environment: Mapping[str, str], *arguments: str) -> str:
        """Run a command to its end; return the last line that it writes, its progress is shown."""
        settings = environment.get("DJANGO_SETTINGS_MODULE", "orderservice.settings")
        done = subprocess.run(
            [sys.executable, "-m", "django", *arguments, "--settings", settings],
            cwd=ROOT,
            env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout.strip().rpartition("\n")[2]

    def _stop(self) -> None:
        for process in self._running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # a session of its own, with its workers
            process.wait()
        postgres.stop(self._folder, immediate=True)
        for folder in (self._cluster.state, self._cluster.sockets, self._folder):
            shutil.rmtree(folder, ignore_errors=True)


_COPY = """
    INSERT INTO usual.usual_order
        (id, full_name, email, address, city, zip_code, status, total, created_at, updated_at)
    SELECT public_id, full_name, email, address, city, zip_code, status, total,
           created_at, updated_at
      FROM public.orders_order;
    INSERT INTO usual.usual_orderitem (order_id, product_id, quantity, price)
    SELECT public_id, product_id, quantity, unit_price
      FROM public.orders_orderitem JOIN public.orders_order ON number = order_id
"""
_TOKEN = """
    WITH staff AS (
        INSERT INTO usual.auth_user (username, password, is_superuser, is_staff, is_active,
                                     first_name, last_name, email, date_joined)
        VALUES ('benchmark', '!', true, true, true, '', '', '', now())
        RETURNING id
    )
    INSERT INTO usual.authtoken_token (key, user_id, created)
    SELECT %(token)s, id, now() FROM staff
"""
