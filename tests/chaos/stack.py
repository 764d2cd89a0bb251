"""The service as it is deployed: PostgreSQL, inventory, web server, workers, and a supervisor."""

import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from orderservice.dev import postgres
from orderservice.dev.postgres_cluster import Cluster
from tests.chaos.forks import ROOT, Zygote
from tests.chaos.pace import NORMAL, Orders, Pace
from tests.chaos.upstream import Upstream
from tests.processes import MANAGE, die_with_the_harness, empty_sandbox, free_port


class Stack:
    """Everything that runs, with its own database and folder; leaves nothing behind.

    A supervisor starts anew what dies. ``restarts`` counts by what it was. ``true_pace`` leaves the
    protocol's times as they are deployed, and puts no steps into the processes.
    """

    def __init__(
        self,
        *,
        pace: Pace = NORMAL,
        workers: int,
        ablation: str = "",
        true_pace: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="orderservice-chaos-"))
        self.orders = Orders(
            str(self.folder / "armed"), str(self.folder / "journal"), pace, ablation
        )
        self.restarts: Counter[str] = Counter()
        self._workers = workers
        self._settings = "orderservice.settings" if true_pace else "tests.chaos.settings"
        self._true_pace = true_pace
        self._extra = dict(environment or {})
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._commands: dict[str, Sequence[str]] = {}
        self._stopping = threading.Event()
        self._hands_off = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)

    # --- starting and stopping -------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _start(self) -> None:
        Path(self.orders.armed).mkdir()
        self.database_url = postgres.ensure_running(self.folder)
        self.upstream = Upstream(self._start_sandbox())
        self.port = free_port()
        self.environment = {
            **os.environ,
            "DEBUG": "1",
            "LOG_LEVEL": "CRITICAL",
            "PYTHONWARNINGS": "ignore",
            "API_THROTTLES": "off",
            "DATABASE_URL": self.database_url,
            "INVENTORY_SERVICE_URL": self.upstream.url,
            **self._extra,
        }
        self.manage("migrate", "--verbosity", "0")
        if not self._true_pace:
            self.environment |= self.orders.environment()
        self.zygote = Zygote({**self.environment, **self.orders.environment()})
        self.environment["DJANGO_SETTINGS_MODULE"] = self._settings
        self.key = str(self.zygote.do("create_key"))
        bind = f"127.0.0.1:{self.port}"
        gunicorn = [sys.executable, "-m", "gunicorn", "orderservice.wsgi", "--bind", bind]
        self._commands["web"] = gunicorn
        for number in range(self._workers):
            self._commands[f"worker-{number}"] = [*MANAGE, "worker", "--concurrency", "3"]
        self._supervisor.start()
        self._await_web()

    def _start_sandbox(self, port: int = 0) -> str:
        process, address = empty_sandbox(self.folder / "inventory.sqlite3", port)
        self._running["sandbox"] = process
        return address

    def _await_web(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError("the web server did not start")

    def manage(self, *arguments: str, within: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a management command to its end, whatever its exit code; it has so many seconds."""
        return subprocess.run(
            [*MANAGE, *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )

    def stop(self) -> None:
        """Kill all that was started here, by its id, and remove what it wrote."""
        self._stopping.set()
        if self._supervisor.ident:
            self._supervisor.join()
        for process in self._running.values():
            for pid in (*_children(process.pid), process.pid):
                _signal(pid, signal.SIGKILL)
            process.wait()
        if zygote := getattr(self, "zygote", None):
            zygote.__exit__(None, None, None)
        cluster = Cluster.of(self.folder)
        postgres.stop(self.folder, immediate=True)
        for folder in (cluster.state, cluster.sockets, self.folder):
            shutil.rmtree(folder, ignore_errors=True)

    # --- the supervisor --------------------------------------------------------------------------

    def _supervise(self) -> None:
        while not self._stopping.is_set():
            for name, command in () if self._hands_off.is_set() else self._commands.items():
                process = self._running.get(name)
                if process is None or process.poll() is not None:
                    if process is not None:
                        self.restarts[name.partition("-")[0]] += 1
                    self._running[name] = subprocess.Popen(
                        command,
                        cwd=ROOT,
                        env=self.environment,
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL,
                        start_new_session=True,
                        preexec_fn=die_with_the_harness,
                    )
            self._stopping.wait(0.2)

    # --- what the outside can do to it -----------------------------------------------------------

    def victims(self, kind: str) -> list[int]:
        """Return the ids of the processes that do the work: workers, or the web server's."""
        if kind == "web":
            master = self._running.get("web")
            return _children(master.pid) if master else []
        return [p.pid for n, p in list(self._running.items()) if n.startswith("worker")]

    def strike(self, kind: str, number: signal.Signals, chance: random.Random) -> int | None:
        """Send a signal to one process of a kind; return its id, None when there is none."""
        victims = [victim for victim in self.victims(kind) if _alive(victim)]
        if not victims:
            return None
        victim = chance.choice(victims)
        return victim if _signal(victim, number) else None

    def resume(self, victim: int) -> None:
        """Let a stopped process go on, if it is still there."""
        _signal(victim, signal.SIGCONT)

    def kill_everything(self) -> int:
        """Kill -9 every process, PostgreSQL and the inventory service too; return how many died."""
        self._leave_alone()
        victims = self.processes()["postgresql"]
        for process in self._running.values():
            victims |= {process.pid, *_children(process.pid)}
        died = sum(_signal(pid, signal.SIGKILL) for pid in victims)
        for process in self._running.values():
            process.wait()
        return died

    def retire(self) -> None:
        """End the web server and the workers as a deployment does, and start them no more.

        What they have in hand they finish, so the ledger stands still after that.
        """
        self._leave_alone()
        serving = [self._running[name] for name in self._commands]
        for process in serving:
            process.terminate()
        for process in serving:
            process.wait(timeout=60)

    def _leave_alone(self) -> None:
        self._hands_off.set()
        time.sleep(0.5)  # the supervisor ends its round

    def start_again(self) -> None:
        """Start all of it as it was, on the data that is there."""
        postgres.ensure_running(self.folder)
        self._start_sandbox(int(self.upstream.root.rpartition(":")[2]))
        self._hands_off.clear()
        self._await_web()

    def processes(self) -> dict[str, set[int]]:
        """Return the ids of the web server's processes, and of PostgreSQL's."""
        postmaster = (Cluster.of(self.folder).data / "postmaster.pid").read_text().split()[0]
        parents = {"web": self._running["web"].pid, "postgresql": int(postmaster)}
        return {name: {pid, *_children(pid)} for name, pid in parents.items()}

    def freeze_inventory(self) -> None:
        """Have the inventory service take calls and say nothing, until ``thaw_inventory``."""
        self._running["sandbox"].send_signal(signal.SIGSTOP)

    def thaw_inventory(self) -> None:
        """Let the inventory service go on with whatever it was sent."""
        self._running["sandbox"].send_signal(signal.SIGCONT)

    def restart_database(self) -> None:
        """Stop PostgreSQL as a crash does, and start it again."""
        postgres.stop(self.folder, immediate=True)
        postgres.ensure_running(self.folder)

    def cut_connections(self) -> None:
        """Terminate every backend but ours."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )

    def exhaust_connections(self, seconds: float) -> None:
        """Take every connection that is left, for a while."""
        taken: list[psycopg.Connection] = []
        try:
            for _ in itertools.repeat(None, 250):
                taken.append(psycopg.connect(self.database_url))
        except psycopg.OperationalError:
            pass
        finally:
            time.sleep(seconds)
            for connection in taken:
                connection.close()


def _children(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in children.split()]


def _alive(pid: int) -> bool:
    """Tell whether it still runs: a signal to one that is dead and not buried seems to arrive."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")


def _signal(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
