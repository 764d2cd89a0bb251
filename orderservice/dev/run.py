"""``python -m orderservice.dev.run``, which is ``make run``: everything, for development.

In this order: PostgreSQL, migrations, the inventory sandbox, the web server, the worker and demo
orders. A ``DATABASE_URL`` or an ``INVENTORY_SERVICE_URL`` takes the place of what it names.
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import sys
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import NoReturn

os.environ.setdefault("DEBUG", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orderservice.settings")

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from orderservice.dev import postgres
from orderservice.dev.postgres_cluster import LocalPostgresError
from orderservice.dev.supervisor import RunFailed, Supervisor, say

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"  # the demo login is for this machine only
SANDBOX_PORTS = range(8001, 8021)
MANAGE = [sys.executable, "manage.py"]


class Stop(BaseException):
    """Somebody asked us to stop."""


def main() -> int:
    """Run everything until Ctrl-C or SIGTERM; return the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _raise_stop)
    try:
        with Supervisor(ROOT) as supervisor:
            _run(supervisor)
    except Stop:
        say("stopped")
    except (RunFailed, LocalPostgresError, ImproperlyConfigured, OSError) as exc:
        sys.stderr.write(f"\n{exc}\n")
        return 1
    return 0


def _run(supervisor: Supervisor) -> NoReturn:
    if not settings.DEBUG:
        raise RunFailed("This is for development: it needs DEBUG=1.")
    port = int(os.environ.get("PORT", "3000"))
    if not _is_free(port):
        raise RunFailed(f"Port {port} is taken. Take another: PORT={port + 1} make run")
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "PORT": str(port)}

    if settings.USES_LOCAL_POSTGRES:
        say("starting PostgreSQL")
        postgres.ensure_running()
    say("migrating the database")
    supervisor.run("migrate", [*MANAGE, "migrate", "--no-input", "--verbosity=0"], environment)

    sandbox = None
    if "INVENTORY_SERVICE_URL" not in environment:
        sandbox = _start_sandbox(supervisor, environment)
        environment["INVENTORY_SERVICE_URL"] = f"{sandbox}/api/v1"
    web = [sys.executable, "-m", "gunicorn", "orderservice.wsgi", "--bind", f"{HOST}:{port}"]
    supervisor.start("web", web, environment)
    supervisor.start("worker", [*MANAGE, "worker"], environment)
    supervisor.wait_until(lambda: _is_healthy(port), "The web server")
    try:
        supervisor.run("seed_demo", [*MANAGE, "seed_demo"], environment)
    except RunFailed as exc:  # an inventory service elsewhere may be down, or know other products
        say(str(exc))
    _introduce(f"http://{HOST}:{port}", sandbox)
    supervisor.watch(tend=postgres.ensure_running if settings.USES_LOCAL_POSTGRES else _nothing)


def _start_sandbox(supervisor: Supervisor, environment: Mapping[str, str]) -> str:
    """Start the inventory sandbox on the first free port; return its address."""
    port = next((port for port in SANDBOX_PORTS if _is_free(port)), None)
    if port is None:
        raise RunFailed(f"Ports {SANDBOX_PORTS[0]} to {SANDBOX_PORTS[-1]} are all taken.")
    local = ROOT / ".local"
    local.mkdir(exist_ok=True)
    data = str(local / "inventory.sqlite3")
    command = ["-m", "inventory_client.sandbox", "--port", str(port), "--data", data]
    supervisor.start("inventory", [sys.executable, *command], environment)
    supervisor.wait_until(lambda: not _is_free(port), "The inventory sandbox")
    return f"http://{HOST}:{port}"


def _introduce(web: str, sandbox: str | None) -> None:
    """Say where everything is."""
    python = Path(sys.executable)
    if python.is_relative_to(ROOT):
        python = python.relative_to(ROOT)
    key = [str(python), "manage.py", "create_api_key", "--name", "walk", "--role", "manager"]
    lines = [
        "",
        f"Staff       {web}/admin/  ->  admin / admin",
        f"API         {web}/api/orders",
        f"Health      {web}/health",
        f"Inventory   {sandbox}/  ->  a sandbox: its stock, and faults to switch on"
        if sandbox
        else f"Inventory   {os.environ['INVENTORY_SERVICE_URL']}",
        *_prices(sandbox),
        f"An API key  DEBUG=1 {shlex.join(key)}",
        "Ctrl-C stops everything.",
        "",
    ]
    for line in lines:
        say(line)


def _prices(sandbox: str | None) -> list[str]:
    """Say what the prices of orders are compared with, or how the sandbox can be asked for them."""
    if settings.CATALOG_SERVICE_URL:
        return [f"Prices      compared with {settings.CATALOG_SERVICE_URL}/products/"]
    return [f"Prices      as sent; CATALOG_SERVICE_URL={sandbox} compares them"] if sandbox else []


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _is_healthy(port: int) -> bool:
    connection = HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _nothing() -> None:
    """Tend to nothing: the database is somebody else's."""


def _raise_stop(*_: object) -> NoReturn:
    raise Stop


if __name__ == "__main__":
    sys.exit(main())
