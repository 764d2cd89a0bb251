"""The release before this one, as git has it.

A release is a tag like v1.2. While there is none, the one before is the last commit that had no
migration newer than what pyproject.toml calls released: `make lint` judges all that came since.
"""

import subprocess
import tomllib
from pathlib import Path

from tests.processes import ROOT

MIGRATIONS = "orders/migrations"


class NoHistory(Exception):
    """git can't tell: there is none, or not as much of the history as it takes."""


def previous() -> str:
    """Return the tag or the commit of the release before this one. Raises `NoHistory`."""
    if _git("rev-parse", "--is-shallow-repository").strip() == b"true":
        raise NoHistory("this clone is shallow")
    try:
        return _git("describe", "--tags", "--abbrev=0", "--match=v[0-9]*", "HEAD^").decode().strip()
    except NoHistory:
        pass
    names = sorted(path.name for path in (ROOT / MIGRATIONS).glob("[0-9]*.py"))
    newer = [name for name in names if name.removesuffix(".py") > _released()]
    if not newer:
        raise NoHistory("nothing has been added since the last release")
    added = _git("log", "-1", "--diff-filter=A", "--format=%H", "--", f"{MIGRATIONS}/{newer[0]}")
    if not (commit := added.decode().strip()):
        raise NoHistory(f"git does not know the commit that added {newer[0]}")
    return f"{commit}^"


def _released() -> str:
    """Return the last migration that the linter takes for released."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        name: str = tomllib.load(file)["tool"]["migrations"]["released"]["orders"]
    return name


def unpack(release: str, folder: Path) -> Path:
    """Write the code of a release into a new folder; return that."""
    folder.mkdir()
    code = _git("archive", "--format=tar", release)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=code, check=True)
    return folder


def _git(*arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    except FileNotFoundError as exc:
        raise NoHistory("there is no git") from exc
    if done.returncode:
        raise NoHistory(done.stderr.decode(errors="replace").strip())
    return done.stdout
