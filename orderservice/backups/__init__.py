"""Backups of the database, and restoring one. docs/backups.md is written for who has to.

A backup is what ``pg_dump`` makes, with its checksum beside it; PostgreSQL's own programs do the
work, and what is here decides whether they may, and that nothing is ever half done.
"""

from orderservice.backups.archive import Archive
from orderservice.backups.database import BackupError
from orderservice.backups.folder import Keep, Retention
from orderservice.backups.making import Made, Plan, back_up, plan
from orderservice.backups.next_steps import next_steps
from orderservice.backups.restoring import Restored, RestoreOptions, inspect, restore

__all__ = [
    "Archive",
    "BackupError",
    "Keep",
    "Made",
    "Plan",
    "RestoreOptions",
    "Restored",
    "Retention",
    "back_up",
    "inspect",
    "next_steps",
    "plan",
    "restore",
]
