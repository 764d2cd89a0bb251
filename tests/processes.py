"""Our own processes, started by tests as an operator would, on the test's database."""

import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent
MANAGE = [sys.executable, "manage.py"]
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def database_url() -> str:
    """Return the URL of the database that this test runs on."""
    at = connection.settings_dict
    user = quote(at["USER"]) + (f":{quote(at['PASSWORD'], safe='')}" if at["PASSWORD"] else "")
    port = at["PORT"] or 5432
    return f"postgresql://{user}@{quote(at['HOST'], safe='')}:{port}/{at['NAME']}"


@contextmanager
def worker(
    inventory_url: str,
    *,
    log: Path | None = None,
    code: Path = ROOT,
    concurrency: int = 2,
    **variables: str,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``manage.py worker``; kill it at the end if it still runs."""
    with ExitStack() as stack:
        process = subprocess.Popen(
            [*MANAGE, "worker", "--concurrency", str(concurrency)],
            cwd=code,
            env=os.environ
            | {
                "DATABASE_URL": database_url(),
                "INVENTORY_SERVICE_URL": inventory_url,
                "PYTHONWARNINGS": "ignore",
            }
            | variables,
            stderr=stack.enter_context(log.open("wb")) if log else None,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def gunicorn(
    variables: dict[str, str],
    *,
    application: str = "orderservice.wsgi",
    log: Path | None = None,
    code: Path = ROOT,
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run gunicorn, in one process unless told otherwise, and kill it at the end.

    Yields its first process, and its port.
    """
    port = int(variables.get("PORT", 0)) or free_port()
    with ExitStack() as stack:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}"],
            cwd=code,
            env=os.environ
            | {
                "DATABASE_URL": database_url(),
                "PYTHONWARNINGS": "ignore",
                "WEB_CONCURRENCY": "1",
            }
            | variables,
            stderr=stack.enter_context(log.open("wb")) if log else None,
        )
    try:
        wait_for(lambda: ask(port, "/health")[0] != 0, within=60)
        yield process, port
    finally:
        process.kill()
        process.wait()


@contextmanager
def web(inventory_url: str, *, code: Path = ROOT, **variables: str) -> Iterator[str]:
    """Serve from a gunicorn of our own; yield its address."""
    variables = {"INVENTORY_SERVICE_URL": inventory_url} | variables
    with gunicorn(variables, code=code) as (_, port):
        yield f"http://localhost:{port}"


def empty_sandbox(data: Path, port: int = 0) -> tuple[subprocess.Popen[bytes], str]:
    """Run an inventory sandbox with no products of its own; return its process and its address."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "inventory_client.sandbox", "--empty"),
            *("--port", str(port), "--data", str(data)),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=die_with_the_harness,
    )
    assert process.stdout
    line: str = process.stdout.readline().decode()
    return process, line.partition("Inventory sandbox on ")[2].partition("/ ")[0]


def die_with_the_harness() -> None:
    """Have the kernel kill this process when the harness is killed, which can't clean up then."""
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def stop(process: subprocess.Popen[bytes], within: float = 15.0) -> int:
    """Ask a process to stop; return its exit code."""
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=within)


def wait_for(condition: Callable[[], bool], within: float = 30.0) -> None:
    """Wait until the condition holds; fail when it does not."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def haproxy() -> str | None:
    """Return the HAProxy of this machine, if it has one; Debian's is where only root looks."""
    return shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    """Return a port that nobody listens on, of those that no system gives who asks for any.

    One of these could be another test's, who asks for any, before we listen: gunicorn found the
    sandbox of a test beside it there.
    """
    while True:
        port = 10_000 + secrets.randbelow(22_000)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def ask(port: int, path: str) -> tuple[int, str]:
    """Return the status and the redirect of a GET; 0 while nobody answers."""
    connection = HTTPConnection("localhost", port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.headers.get("Location", "")
    except OSError:
        return 0, ""
    finally:
        connection.close()
