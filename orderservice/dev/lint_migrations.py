"""Lint the migrations that no release has had yet: the code that runs must survive them.

``[tool.migrations]`` in pyproject.toml says up to where they are released, app by app, and which of
the newer ones break a rule for a good reason. Packages' own migrations are looked at, too.
"""

import os
import sys
import tomllib
from collections.abc import Mapping

os.environ.setdefault("DEBUG", "1")
os.environ.setdefault("LOG_LEVEL", "WARNING")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orderservice.settings")

import django
from django.conf import settings
from django_migration_linter import MigrationLinter

from orderservice.dev import postgres
from orderservice.environment import BASE_DIR


def main() -> int:
    """Return the exit code: 1 when a migration breaks a rule without leave."""
    django.setup()
    if settings.USES_LOCAL_POSTGRES:
        postgres.ensure_running()  # the SQL of a migration is had from a connection
    rules = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["tool"]["migrations"]
    new, refused = lint(rules["released"], rules["accepted"])
    sys.stdout.write(f"{new} migrations since the release, {refused} refused\n")
    if refused:
        sys.stdout.write("docs/zero-downtime.md tells what to do instead\n")
    return 1 if refused else 0


def lint(released: Mapping[str, str], accepted: Mapping[str, str]) -> tuple[int, int]:
    """Lint what comes after the last released migration of each app, saying what is wrong.

    Returns how many there are, and how many are refused. ``accepted`` has the reason of each, by
    ``app.name``, that breaks a rule. Raises LookupError for a name that there is not among the
    released ones, or among what comes after them.
    """
    linter = MigrationLinter(
        no_cache=True, all_warnings_as_errors=True, analyser_string="postgresql"
    )
    loader = linter.migration_loader
    old = {
        key
        for last in released.items()
        for key in loader.graph.forwards_plan(last)  # with all that it builds upon
    }
    new = sorted(loader.disk_migrations.keys() - old)
    if unknown := accepted.keys() - {".".join(key) for key in new}:
        raise LookupError(f"accepted, but not a new migration: {', '.join(sorted(unknown))}")
    for key in new:
        if reason := accepted.get(".".join(key)):
            sys.stdout.write(f"({', '.join(key)})... accepted: {reason}\n")
            continue
        # Whether a package's migration can be taken back is not ours to mend.
        linter.exclude_migration_tests = [] if key[0] == "orders" else ["RUNSQL_REVERSIBLE"]
        linter.lint_migration(loader.disk_migrations[key])
    return len(new), linter.nb_erroneous


if __name__ == "__main__":
    sys.exit(main())
