"""``manage.py backup_db``: write a backup of the database, and let old ones go."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from orderservice import backups, redaction


class Command(BaseCommand):
    """Writes one line about what it made; docs/backups.md has the rest."""

    help = (
        "Write a backup of the database (pg_dump's custom format, with its SHA-256 beside it), and"
        " then delete those that --keep does not keep. Exit 0 done; 1 not written, or as it says"
        " then, written, and older ones stay."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--to",
            metavar="FOLDER",
            default=settings.BACKUP_DIR,
            help="the folder to write to (default: BACKUP_DIR)",
        )
        parser.add_argument(
            "--keep",
            metavar="N",
            action="append",
            default=[],
            type=_keep,
            help="keep the newest N backups, or with Nd those of N days, and delete older ones;"
            " given twice, what either keeps is kept (default: delete none)",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be done, and do nothing"
        )
        parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON object")

    def handle(
        self,
        *,
        to: str,
        keep: list[backups.Keep],
        dry_run: bool,
        as_json: bool,
        **options: Any,
    ) -> None:
        if not to:
            raise CommandError("Where to? Name the folder with --to, or in BACKUP_DIR.")
        folder, retention = Path(to).absolute(), backups.Retention(keep)
        try:
            done = (backups.plan if dry_run else backups.back_up)(folder, retention)
        except (backups.BackupError, psycopg.Error, OSError) as exc:
            raise CommandError(redaction.told(exc) or type(exc).__name__) from exc
        if as_json:
            self.stdout.write(json.dumps(asdict(done), default=str))
        else:
            self.stdout.write(_planned(done) if isinstance(done, backups.Plan) else _made(done))


def _keep(text: str) -> backups.Keep:
    try:
        return backups.Keep.parse(text)
    except ValueError as exc:
        raise ArgumentTypeError(f"{text!r} is not {exc}") from exc


def _made(made: backups.Made) -> str:
    deleted = f"; deleted {', '.join(file.name for file in made.deleted)}" if made.deleted else ""
    return (
        f"{made.file}: {_megabytes(made.size)} in {made.seconds:.1f} s, SHA-256 {made.sha256}"
        f"{deleted}"
    )


def _planned(plan: backups.Plan) -> str:
    deleted = ", ".join(file.name for file in plan.to_delete) or "nothing"
    return (
        f"would write {plan.file} by {plan.pg_dump}, and delete {deleted}; the database has"
        f" {_megabytes(plan.database_size)}, the folder {_megabytes(plan.free)} free"
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
