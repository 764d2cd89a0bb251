"""The process that runs the local PostgreSQL for as long as somebody uses it.

``postgres.ensure_running`` starts it and hands it the server's lock. It becomes the server's user,
makes the data directory if there is none, runs ``postgres`` as its child, and stops it when no
process has used it for the grace time. It ends when the server ends, whatever the reason.
"""

from __future__ import annotations

import ctypes
import fcntl
import locale
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from orderservice.dev.postgres_cluster import PORT, ROLE, Cluster, runnable

_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Without these two, only a crash of the operating system loses data: what PostgreSQL wrote
    # outlives its processes in the page cache. synchronous_commit stays on. It is what has the
    # log written before a commit is answered; without it, killing PostgreSQL would lose commits,
    # and a test that does so would blame the wrong part.
    "fsync": "off",
    "full_page_writes": "off",
}
_PR_SET_PDEATHSIG = 1
# Loaded here, because after a change of user the Python installation may be out of reach.
_libc = ctypes.CDLL(None)


def keep(cluster: Cluster, grace_seconds: float, server_lock: int) -> int:
    """Run the server until nobody has used it for ``grace_seconds``; return its exit code."""
    users = os.open(cluster.state / "users.lock", os.O_RDWR)
    binaries = runnable(cluster.binaries)
    _become_owner(cluster.home)
    _make_data(cluster, binaries, server_lock)
    # We hold the server's lock, so no server owns these. PostgreSQL would believe a leftover
    # process id that meanwhile belongs to another process of this user, and refuse to start.
    (cluster.data / "postmaster.pid").unlink(missing_ok=True)
    (cluster.sockets / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
    settings = {**_SETTINGS, "unix_socket_directories": str(cluster.sockets)}
    options = [f"--{name}={value}" for name, value in settings.items()]
    server = subprocess.Popen(
        [binaries / "postgres", "-D", cluster.data, *options],
        pass_fds=[server_lock],
        preexec_fn=_end_with_this_process(),
    )
    threading.Thread(
        target=_stop_when_unused, args=(server, users, grace_seconds), daemon=True
    ).start()
    return server.wait()


def _stop_when_unused(server: subprocess.Popen[bytes], users: int, grace_seconds: float) -> None:
    """Stop ``server`` once no process uses it, and none does ``grace_seconds`` later.

    The lock stays ours until the server is gone: whoever comes meanwhile waits, then starts anew.
    """
    unused = False
    while not unused:
        fcntl.flock(users, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_UN)
        time.sleep(grace_seconds)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            unused = True
        except BlockingIOError:
            continue
    server.send_signal(signal.SIGINT)  # a fast shutdown, which clients can't delay


def _become_owner(folder: Path) -> None:
    """Go to ``folder`` and become the user whom it belongs to; only root can become another."""
    os.chdir(folder)
    owner = folder.stat()
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)


def _make_data(cluster: Cluster, binaries: Path, server_lock: int) -> None:
    """Make the data directory unless it is there; one that was interrupted is made anew."""
    if cluster.data.exists():
        return
    unfinished = cluster.home / "data.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        # Unicode letters, order by code point, the same on every machine.
        language = locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        language = "C"  # always there; knows upper and lower case of ASCII letters only
    options = [f"--username={ROLE}", "--auth=trust", "--encoding=UTF8", f"--locale={language}"]
    options += ["--no-sync", "--no-instructions"]
    subprocess.run(
        [binaries / "initdb", "-D", unfinished, *options],
        pass_fds=[server_lock],
        preexec_fn=_end_with_this_process(),
        check=True,
    )
    unfinished.rename(cluster.data)


def _end_with_this_process() -> Callable[[], None] | None:
    """Make what a child does first, so that it is interrupted when this process is killed.

    Linux only. Elsewhere the server of a killed keeper stays, and serves the next users.
    """
    if sys.platform != "linux":
        return None
    keeper = os.getpid()

    def ask_the_kernel() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored by what a shell starts with `&`
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != keeper:  # killed before we asked
            os._exit(1)

    return ask_the_kernel


if __name__ == "__main__":
    _checkout, _grace_seconds, _server_lock = sys.argv[1:]
    # The process that asked for us has to reap only this one; its children are its own affair.
    if os.fork():
        os._exit(0)
    sys.exit(keep(Cluster.of(Path(_checkout)), float(_grace_seconds), int(_server_lock)))
