#!/usr/bin/env python
"""Django's command line, with a local PostgreSQL in development."""

import os
import sys

from orderservice.terminating import end_at_sigterm

end_at_sigterm()  # before all else, which takes a second to load

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from environs import EnvError

from orderservice.dev import postgres


def main() -> None:
    """Run the command; in development without a DATABASE_URL, on a PostgreSQL of our own."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orderservice.settings")
    try:
        uses_local_postgres = settings.USES_LOCAL_POSTGRES
    except (ImproperlyConfigured, EnvError) as exc:
        sys.exit(f"refusing to start: {exc}")
    if uses_local_postgres:
        postgres.ensure_running()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
