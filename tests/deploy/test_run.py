"""``make run``: it starts everything, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from inventory_client.sandbox.control import DEMO_STOCK
from inventory_client.sandbox.server import Sandbox
from orders.models import Order
from orderservice.dev.supervisor import RunFailed, Supervisor
from tests.processes import ROOT, ask, database_url, free_port, wait_for

TOLD_TO_STOP = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: (print(sys.argv[1], "stops", flush=True), sys.exit()))
print(sys.argv[1], "is up", flush=True)
signal.pause()
"""


def others_on_the_database() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.usefixtures("committed_db")
def test_run_killed_leaves_no_process_behind(sandbox: Sandbox) -> None:
    sandbox.reset(DEMO_STOCK)
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "orderservice.dev.run"],
        cwd=ROOT,
        env=os.environ
        | {
            "PORT": str(port),
            "DATABASE_URL": database_url(),
            "INVENTORY_SERVICE_URL": sandbox.url,
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C stops everything" in line:
                break
        assert ask(port, "/health") == (200, ""), "".join(said)
        assert any(f"http://127.0.0.1:{port}/admin/  ->  admin / admin" in line for line in said)
        assert Order.objects.count() == 14
    finally:
        process.kill()
        process.wait()
    wait_for(lambda: ask(port, "/health") == (0, "") and others_on_the_database() == 0)


def test_run_on_a_taken_port_says_so_and_starts_nothing(sandbox: Sandbox) -> None:
    taken = sandbox.url.rpartition(":")[2].partition("/")[0]
    done = subprocess.run(
        [sys.executable, "-m", "orderservice.dev.run"],
        cwd=ROOT,
        env=os.environ | {"PORT": taken},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip() == (
        f"Port {taken} is taken. Take another: PORT={int(taken) + 1} make run"
    )


@pytest.fixture
def _signals() -> object:
    """What a supervisor ignores while it stops is ours again after it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_signals")
def test_supervisor_stops_the_last_one_first(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shown = ""

    def is_up(name: str) -> bool:
        nonlocal shown
        shown += capfd.readouterr().out
        return f"{name} is up" in shown

    with Supervisor(tmp_path) as supervisor:
        for name in ("first", "second"):
            supervisor.start(name, [sys.executable, "-c", TOLD_TO_STOP, name], os.environ)
            supervisor.wait_until(lambda name=name: is_up(name), name)  # type: ignore[misc]
    wait_for(lambda: is_up("first") and "first stops" in shown)
    assert shown.index("second stops") < shown.index("stopping first") < shown.index("first stops")


@pytest.mark.usefixtures("_signals")
def test_supervisor_of_what_keeps_dying_gives_up_and_names_it(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor, pytest.raises(RunFailed, match="web keeps dying"):
        supervisor.start("web", [sys.executable, "-Sc", "raise SystemExit(3)"], os.environ)
        supervisor.watch(tend=lambda: None)
