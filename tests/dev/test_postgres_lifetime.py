"""Who dies when: users, keeper and server of the local PostgreSQL, killed in every order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from orderservice.dev import postgres
from orderservice.dev.postgres_cluster import Cluster
from tests.dev.servers import GRACE_SECONDS, User, eventually, is_gone, keeper, postmasters

pytestmark = pytest.mark.usefixtures("wheel")


def remember(url: str, word: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS memory (word text)")
        connection.execute("INSERT INTO memory VALUES (%s)", [word])


def remembers(url: str, word: str) -> bool:
    with psycopg.connect(url) as connection:
        query = "SELECT 1 FROM memory WHERE word = %s"
        return connection.execute(query, [word]).fetchone() is not None


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
