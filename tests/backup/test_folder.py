"""The folder of backups: which go, which are ours, and what a killed backup leaves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orderservice.backups import BackupError, Keep, Retention
from orderservice.backups.folder import Folder, checksum_file, unfinished, verify

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path: Path) -> Folder:
    return Folder.of(tmp_path, "shop")


def backup_of(folder: Folder, days_ago: float) -> str:
    """Finish a backup of a while ago; return its name."""
    backup = folder.named(NOW - timedelta(days=days_ago))
    unfinished(backup.file).write_bytes(b"PGDMP")
    folder.finish(backup, "0" * 64)
    return backup.file.name


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        ([], [0, 1, 2, 9, 40]),
        (["1"], [0]),
        (["3"], [0, 1, 2]),
        (["9"], [0, 1, 2, 9, 40]),
        (["2d"], [0, 1, 2]),
        (["1", "10d"], [0, 1, 2, 9]),
        (["4", "1d"], [0, 1, 2, 9]),
    ],
)
def test_retention_keeps_what_one_of_its_rules_keeps(
    shop: Folder, rules: list[str], kept: list[int]
) -> None:
    names = {days: backup_of(shop, days) for days in (40, 9, 2, 1, 0)}
    retention = Retention([Keep.parse(rule) for rule in rules])
    found = shop.finished()
    outdated = retention.outdated(found, found[-1])
    shop.delete(outdated)
    assert {each.file.name for each in shop.finished()} == {names[days] for days in kept}
    assert len(list(shop.path.iterdir())) == 2 * len(kept)


def test_retention_never_lets_the_one_go_that_was_made_last(shop: Folder) -> None:
    """A clock that went wrong has left backups of the future."""
    for days in (-400, -399, 1):
        backup_of(shop, days)
    made = shop.named(NOW)
    backup_of(shop, 0)
    outdated = Retention([Keep.parse("1")]).outdated(shop.finished(), made)
    assert [each.at > NOW for each in outdated] == [False, True, True]


@pytest.mark.parametrize("text", ["0", "0d", "-1", "", "d", "3h", "1.5", "100000", "٣"])
def test_retention_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="from 1 on"):
        Keep.parse(text)


def test_folder_counts_no_file_that_is_not_a_finished_backup_of_the_database(
    shop: Folder,
) -> None:
    ours = backup_of(shop, 1)
    backup_of(Folder.of(shop.path, "shop-2"), 1)
    (shop.path / "shop-20261126T101530Z.dump").write_bytes(b"PGDMP")  # without a checksum
    for name in ("shop-20261340T101530Z.dump", "shop-old.dump", "notes.txt"):
        (shop.path / name).touch()
        checksum_file(shop.path / name).touch()
    assert [each.file.name for each in shop.finished()] == [ours]


def test_sweep_removes_what_a_killed_backup_left_and_nothing_else(shop: Folder) -> None:
    ours = backup_of(shop, 1)
    killed = shop.named(NOW)
    unfinished(killed.file).touch()
    unfinished(killed.checksum_file).touch()
    checksum_file(shop.named(NOW - timedelta(hours=1)).file).touch()  # between the two names
    others = [
        unfinished(Folder.of(shop.path, "other").named(NOW).file),
        shop.path / ".notes.partial",
        shop.path / "notes.sha256",
    ]
    for other in others:
        other.touch()
    shop.sweep()
    left = {ours, f"{ours}.sha256", *(other.name for other in others)}
    assert {file.name for file in shop.path.iterdir()} == left


@pytest.mark.parametrize("name", ["../etc", "a b", ".hidden", "кафе", ""])
def test_folder_makes_one_plain_name_of_any_database_s(tmp_path: Path, name: str) -> None:
    file = Folder.of(tmp_path, name).named(NOW).file
    assert file.parent == tmp_path
    assert not file.name.startswith(".")


def test_verify_without_or_with_an_unreadable_checksum_says_so(tmp_path: Path) -> None:
    dump = tmp_path / "a.dump"
    dump.touch()
    with pytest.raises(BackupError, match=r"no a\.dump\.sha256 beside it"):
        verify(dump)
    checksum_file(dump).touch()
    with pytest.raises(BackupError, match="can't be read as a checksum"):
        verify(dump)
