"""What is left to do after a restore, whatever has come of it."""

from __future__ import annotations

from datetime import datetime, timedelta

CLOCKS_DIFFER = timedelta(minutes=1)


def next_steps(made_at: datetime) -> list[str]:
    """Return what an operator does after ``migrate``, in its order, for a backup of that moment."""
    since = (made_at - CLOCKS_DIFFER).strftime("%Y-%m-%dT%H:%M:%SZ")
    return [
        f"manage.py reconcile_stock --since {since}, before web and worker start (docs/backups.md)",
        # What was confirmed since the backup is PENDING again, and old.
        "start the worker with PENDING_EXPIRE_HOURS=off, until all that was confirmed since the"
        " backup is confirmed again: it would cancel what is old",
        "before web starts, take away again what was taken away since the backup: keys, accounts,"
        " sessions by a new SECRET_KEY, and personal data by manage.py erase_customer"
        " (docs/backups.md, step 8)",
    ]
