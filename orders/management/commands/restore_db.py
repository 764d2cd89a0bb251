"""``manage.py restore_db FILE``: put a backup in the place of what the database holds."""

import json
from argparse import ArgumentParser
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError

from orderservice import backups, redaction


class Command(BaseCommand):
    """Writes what it did, and what is to be done next."""

    help = (
        "Put a backup in the place of what the database holds, in one transaction: whole, or not"
        " at all. Exit 0 restored; 1 refused or failed, and the database is as it was, unless it"
        " says otherwise."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="what backup_db wrote")
        parser.add_argument(
            "--replace", action="store_true", help="although there are orders, which are lost then"
        )
        parser.add_argument(
            "--ignore-connections",
            action="store_true",
            help="although others are connected, who may have old rows in mind, or write new ones",
        )
        parser.add_argument(
            "--without-checksum", action="store_true", help="although no .sha256 lies beside FILE"
        )
        parser.add_argument(
            "--skip-numbers",
            type=int,
            default=backups.RestoreOptions().skip_numbers,
            metavar="N",
            help="give the next order a number so far beyond the backup's last one, because those"
            " between may have been given to orders that are lost (default: %(default)s)",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="check everything, and do nothing"
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON object")

    def handle(self, *, file: Path, dry_run: bool, as_json: bool, **options: Any) -> None:
        chosen = backups.RestoreOptions(
            **{name: options[name] for name in backups.RestoreOptions.__dataclass_fields__}
        )
        if not 0 <= chosen.skip_numbers <= 10**12:
            raise CommandError("--skip-numbers must be at least 0, and no more than a trillion.")
        try:
            if dry_run:
                said = self._would(file, chosen, as_json=as_json)
            else:
                done = backups.restore(file, chosen, on_restored=self._say_restored)
                said = self._done(done, as_json=as_json)
        except (backups.BackupError, psycopg.Error, OSError) as exc:
            raise CommandError(redaction.told(exc) or type(exc).__name__) from exc
        self.stdout.write(said)

    def _say_restored(self, archive: backups.Archive) -> None:
        """Say it before what takes a while: who is ended in that has no other word of it.

        Where it can't be written, what follows is done, and said, all the same.
        """
        with suppress(OSError):
            self.stderr.write(
                f"{archive.file}, made at {archive.made_at}, is restored, and stays so"
                " even if this is ended now; VACUUM (ANALYZE) follows"
            )

    def _would(self, file: Path, chosen: backups.RestoreOptions, *, as_json: bool) -> str:
        archive, holdings = backups.inspect(file, chosen)
        if as_json:
            found = {
                "file": str(file),
                "made_at": archive.made_at.isoformat(),
                "server": archive.server,
            }
            return json.dumps(found | asdict(holdings))
        return (
            f"would restore {file}, made at {archive.made_at} on PostgreSQL {archive.server},"
            f" into {holdings.place}, in the place of {holdings}"
        )

    def _done(self, done: backups.Restored, *, as_json: bool) -> str:
        if done.unknown_migrations:
            schema = (
                "take the release that made the backup, and start neither its web nor its worker"
                f" yet: {done.unknown_migrations} of its migrations are unknown to this one"
            )
        else:
            schema = f"manage.py migrate ({done.to_migrate} migrations to apply)"
        next_steps = [schema, *backups.next_steps(done.archive.made_at)]
        if as_json:
            return json.dumps(
                {
                    "file": str(done.archive.file),
                    "made_at": done.archive.made_at.isoformat(),
                    "place": done.replaced.place,
                    "orders": done.orders,
                    "next_number": done.next_number,
                    "seconds": done.seconds,
                    "tidying_seconds": done.tidying_seconds,
                    "next_steps": next_steps,
                }
            )
        return (
            f"{done.archive.file}, made at {done.archive.made_at}, into {done.replaced.place}:"
            f" {done.orders} orders in the place of {done.replaced}, in {done.seconds:.1f} s, and"
            f" {done.tidying_seconds:.1f} s to vacuum and analyze\n"
            f"the next order is number {done.next_number}\n"
            "next: " + "\nthen: ".join(next_steps)
        )
