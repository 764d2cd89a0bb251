"""Whether the tables are those of this release."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def missing() -> int:
    """Count this release's migrations that the database does not have; a newer one's don't matter.

    Raises DatabaseError or InterfaceError when it can't be asked.
    """
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
