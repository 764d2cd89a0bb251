"""What the commands say when the database fails."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseFailure

from orderservice import redaction


class DatabaseCommand(BaseCommand):
    """Ends with a sentence when the database fails, not with a stack, which helps nobody there."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run as any command does; raise `CommandError` when the database fails."""
        try:
            return super().execute(*args, **options)
        except DatabaseFailure as exc:
            raise CommandError(f"The database: {failure(exc)}") from exc


def failure(exc: DatabaseFailure) -> str:
    """Return what may be told of a failure of the database; never nothing."""
    return redaction.told(exc) or type(exc).__name__
