"""The service as a small shop deploys it: two web instances behind HAProxy, a worker, PostgreSQL.

Settings are those of production, and the balancer's configuration is the one that ships. Only the
addresses are this machine's, and the inventory service is the sandbox.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from orderservice.dev import postgres
from orderservice.dev.postgres_cluster import Cluster
from tests.chaos.upstream import Upstream
from tests.processes import (
    MANAGE,
    ROOT,
    ask,
    die_with_the_harness,
    empty_sandbox,
    free_port,
    haproxy,
    wait_for,
)

BALANCER = ROOT / "deploy" / "haproxy.cfg"
PATIENCE = 60.0  # seconds, that anything has to start or to stop
# Limits that count and never refuse: these customers come from one address.
RATES = ",".join(f"{scope}=999999999/day" for scope in ("orders", "status", "lists", "keys"))
_PREPARE = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("create_api_key", name="uptime", role="manager")
"""


class Process:
    """A program of the site, which can be stopped and started again; its log is kept."""

    def __init__(self, site: Site, name: str, command: Sequence[str], **variables: str) -> None:
        self._site = site
        self._command = command
        self._variables = variables
        self.log = site.folder / f"{name}.log"
        self.start()

    def start(self) -> None:
        """Start it; its log goes on."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self._site.environment | self._variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_the_harness,
            )

    def stop(self) -> float:
        """End it as a deployment does, by SIGTERM; return how many seconds that took.

        Raises `RuntimeError` when it did not end as one that was asked to.
        """
        begun = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(timeout=PATIENCE)
        if code != 0:
            raise RuntimeError(f"{self.log.stem} ended with {code}: {self.log.read_text()[-2000:]}")
        return time.monotonic() - begun

    def kill(self) -> None:
        """Kill it, and those that it has started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


P = TypeVar("P", bound=Process)


class Instance(Process):
    """One gunicorn."""

    def __init__(self, site: Site, name: str) -> None:
        self.port = free_port()
        bind = f"127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "gunicorn", "orderservice.wsgi", "--bind", bind]
        super().__init__(site, name, command)

    def wait_until_ready(self) -> float:
        """Wait until it can do its work, as a deployment does; return the seconds."""
        begun = time.monotonic()
        wait_for(lambda: ask(self.port, "/health/ready")[0] == 200, within=PATIENCE)
        return time.monotonic() - begun


class Site:
    """All of it, in a folder and a database of its own; leaves nothing behind.

    ``checked`` is how often the balancer asks, in seconds, and ``variables`` are settings.
    """

    def __init__(self, *, checked: float = 1.0, **variables: str) -> None:
        self.checked = checked
        self.folder = Path(tempfile.mkdtemp(prefix="orderservice-uptime-"))
        self._variables = variables
        self._processes: list[Process] = []

    def __enter__(self) -> Self:
        try:
            self._start()
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

    def _start(self) -> None:
        self.database_url = postgres.ensure_running(self.folder)
        self._sandbox, address = empty_sandbox(self.folder / "inventory.sqlite3")
        self.upstream = Upstream(address)
        self.environment = {
            **os.environ,
            "DEBUG": "0",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ALLOWED_HOSTS": "localhost",
            "DATABASE_URL": self.database_url,
            "INVENTORY_SERVICE_URL": self.upstream.url,
            "INVENTORY_SOLE_WRITER": "1",  # so that each outcome can be told without a person
            "TRUSTED_PROXIES": "127.0.0.1",
            "API_THROTTLES": f"{RATES},open=off",
            "PYTHONWARNINGS": "ignore",
            **self._variables,
        }
        self.key = self.manage("shell", "-c", _PREPARE).stdout.split()[-1]
        self.port = free_port()
        self.instances = [self._run(Instance(self, f"web{number}")) for number in (1, 2)]
        self.worker = self._run(Process(self, "worker", [*MANAGE, "worker"]))
        for instance in self.instances:
            instance.wait_until_ready()
        self.balancer = self._run(
            Process(
                self,
                "haproxy",
                [haproxy() or "haproxy", "-db", "-f", str(BALANCER)],
                BIND=f"127.0.0.1:{self.port}",
                PUBLIC_SCHEME="https",
                HEALTH_INTERVAL=f"{int(1000 * self.checked)}ms",
                **{
                    name.upper(): f"127.0.0.1:{instance.port}"
                    for name, instance in zip(("web1", "web2"), self.instances, strict=True)
                },
            )
        )
        wait_for(lambda: ask(self.port, "/health")[0] == 200, within=PATIENCE)

    def _run(self, process: P) -> P:
        self._processes.append(process)
        return process

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a management command to its end, whatever its exit code."""
        return subprocess.run(
            [*MANAGE, *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def replace(self, instance: Instance) -> tuple[float, float]:
        """Put a new instance in one's place, as a deployment does; return the seconds.

        They are how long the old one took to end, and the new one to be ready. Comes back when the
        balancer has had the time to find out: two checks, and a third that may be under way.
        """
        ended = instance.stop()
        instance.start()
        began = instance.wait_until_ready()
        time.sleep(3 * self.checked)
        return ended, began

    def take_database(self, how: str) -> None:
        """Have PostgreSQL ``stopped``, ``crashed``, or ``frozen``, whatever it is about."""
        if how == "frozen":
            self._signal_database(signal.SIGSTOP)
        else:
            postgres.stop(self.folder, immediate=how == "crashed")

    def bring_database(self, how: str) -> None:
        """Have it back; come back once it takes connections."""
        if how == "frozen":
            self._signal_database(signal.SIGCONT)
        postgres.ensure_running(self.folder)

    def _signal_database(self, number: int) -> None:
        """Send a signal to PostgreSQL's first process, and then to all that it has started."""
        data = Cluster.of(self.folder).data
        first = (data / "postmaster.pid").read_text().split()[0]
        os.kill(int(first), number)
        for process in Path(f"/proc/{first}/task/{first}/children").read_text().split():
            os.kill(int(process), number)

    def complaints(self) -> list[str]:
        """Return the lines of all logs that tell of a fault on our side."""
        marks = ('"level": "error"', '"level": "critical"', "Traceback", "[ERROR]", "[CRITICAL]")
        return [
            f"{process.log.stem}: {line}"
            for process in self._processes
            for line in process.log.read_text(errors="replace").splitlines()
            if any(mark in line for mark in marks)
        ]

    def _stop(self) -> None:
        for process in self._processes:
            process.kill()
        if sandbox := getattr(self, "_sandbox", None):
            sandbox.kill()
            sandbox.wait()
        cluster = Cluster.of(self.folder)
        postgres.stop(self.folder, immediate=True)
        for folder in (cluster.state, cluster.sockets, self.folder):
            shutil.rmtree(folder, ignore_errors=True)
