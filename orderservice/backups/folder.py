"""The folder that backups are kept in: their names, their checksums, and which may go.

A backup is ``NAME-20261126T101530Z.dump`` with ``….dump.sha256`` beside it, as ``sha256sum`` writes
it. What has no such name, or no checksum, is somebody else's: neither counted nor deleted. What is
not finished begins with a dot, and its name is its own only at the end.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orderservice.backups.database import BackupError

_STAMP = "%Y%m%dT%H%M%SZ"
_SUM = ".sha256"
_UNFINISHED = ".partial"


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup, and when it was begun."""

    at: datetime
    file: Path

    @property
    def checksum_file(self) -> Path:
        """Where its checksum stands."""
        return checksum_file(self.file)


@dataclass(frozen=True, slots=True)
class Keep:
    """How many of the newest to keep, or from how many days back; never fewer than one."""

    count: int = 0
    days: int = 0

    @classmethod
    def parse(cls, text: str) -> Keep:
        """Read ``14``, which is backups, or ``30d``, which is days; raise ValueError."""
        found = re.fullmatch(r"([1-9]\d{0,4})(d?)", text)
        if found is None:
            raise ValueError("a number of backups from 1 on, as 14, or of days, as 30d")
        number = int(found[1])
        return cls(days=number) if found[2] else cls(count=number)


@dataclass(frozen=True, slots=True)
class Retention:
    """Which backups stay: what one of the rules keeps is kept. Without a rule, all are."""

    rules: Sequence[Keep] = ()

    def outdated(self, backups: Sequence[Backup], newest: Backup) -> list[Backup]:
        """Return those that may go now that ``newest`` is finished; it never is one of them."""
        if not self.rules:
            return []
        others = sorted((each for each in backups if each != newest), key=lambda each: each.at)
        latest_first = [newest, *reversed(others)]
        kept: set[Path] = set()
        for rule in self.rules:
            since = newest.at - timedelta(days=rule.days)
            kept |= {each.file for each in latest_first[: rule.count]}
            kept |= {each.file for each in latest_first if rule.days and each.at >= since}
        return [each for each in others if each.file not in kept]


@dataclass(frozen=True, slots=True)
class Folder:
    """The backups of one database in one folder; other databases may share it."""

    path: Path
    database: str

    @classmethod
    def of(cls, path: Path, database: str) -> Folder:
        """Return a folder that is there and can be written to; raise BackupError otherwise."""
        if not path.is_dir():
            raise BackupError(f"There is no folder {path}: make it, or mount what should be there.")
        if not os.access(path, os.W_OK | os.X_OK):
            raise BackupError(f"The folder {path} can't be written to.")
        return cls(path, re.sub(r"[^\w.-]", "_", database).lstrip(".") or "database")

    def named(self, at: datetime) -> Backup:
        """Return the backup that is begun at a moment; nothing is made."""
        at = at.astimezone(UTC).replace(microsecond=0)
        return Backup(at, self.path / f"{self.database}-{at.strftime(_STAMP)}.dump")

    def finished(self) -> list[Backup]:
        """Return the finished backups of the database, the oldest first."""
        pattern = re.compile(re.escape(self.database) + r"-(\d{8}T\d{6}Z)\.dump")
        found = []
        for file in self.path.iterdir():
            if (match := pattern.fullmatch(file.name)) and checksum_file(file).is_file():
                try:
                    at = datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC)
                except ValueError:  # no such day
                    continue
                found.append(Backup(at, file))
        return sorted(found, key=lambda each: each.at)

    def sweep(self) -> None:
        """Remove what a killed backup of this database left: its unfinished files.

        Only who is alone with the database may, for they could be another's that runs.
        """
        name = re.escape(self.database) + r"-\d{8}T\d{6}Z\.dump"
        unfinished_name = re.compile(rf"\.{name}({re.escape(_SUM)})?{re.escape(_UNFINISHED)}")
        checksum_name = re.compile(f"({name}){re.escape(_SUM)}")
        for file in self.path.iterdir():
            of = checksum_name.fullmatch(file.name)
            is_orphan = of is not None and not (self.path / of[1]).exists()
            if is_orphan or unfinished_name.fullmatch(file.name):
                file.unlink(missing_ok=True)

    def finish(self, backup: Backup, digest: str) -> None:
        """Give a backup that is whole its name and its checksum, so that a crash loses neither.

        The checksum comes first: a dump that can be seen always has one.
        """
        unfinished_sum = unfinished(backup.checksum_file)
        unfinished_sum.write_text(f"{digest}  {backup.file.name}\n")
        unfinished_sum.chmod(0o600)
        for file in (unfinished(backup.file), unfinished_sum):
            _flush(file)
        unfinished_sum.rename(backup.checksum_file)
        unfinished(backup.file).rename(backup.file)
        _flush(self.path)

    def discard(self, backup: Backup) -> None:
        """Remove what there is of a backup, unless it is finished."""
        unfinished(backup.file).unlink(missing_ok=True)
        unfinished(backup.checksum_file).unlink(missing_ok=True)
        if not backup.file.exists():
            backup.checksum_file.unlink(missing_ok=True)

    def delete(self, backups: Sequence[Backup]) -> None:
        """Delete backups; each dump goes before its checksum."""
        for backup in backups:
            backup.file.unlink(missing_ok=True)
            backup.checksum_file.unlink(missing_ok=True)


def unfinished(file: Path) -> Path:
    """Return the name that a file has until it is whole."""
    return file.with_name(f".{file.name}{_UNFINISHED}")


def checksum_file(file: Path) -> Path:
    """Return where the checksum of a dump stands."""
    return file.with_name(file.name + _SUM)


def checksum(file: Path) -> str:
    """Return a file's SHA-256 in hexadecimal digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def verify(file: Path, *, required: bool = True) -> None:
    """Compare a dump with the checksum beside it; raise BackupError unless they agree.

    Where there is none, it is ``required``, or the dump is trusted.
    """
    beside = checksum_file(file)
    try:
        expected = beside.read_text().split(maxsplit=1)[0].lower()
    except FileNotFoundError as exc:
        if not required:
            return
        raise BackupError(
            f"{file.name} has no {beside.name} beside it. --without-checksum trusts it all the"
            " same."
        ) from exc
    except (OSError, ValueError, IndexError) as exc:
        raise BackupError(f"{beside} can't be read as a checksum: {exc}") from exc
    if (found := checksum(file)) != expected:
        raise BackupError(
            f"{file.name} is damaged, or is another file: its SHA-256 is {found}, and"
            f" {beside.name} says {expected}. Nothing was touched; restore from another file."
        )


def _flush(path: Path) -> None:
    """Have the disk hold a file, or a folder's names."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
