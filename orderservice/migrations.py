"""Whether the tables are those of this release, and whether it knows them."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def missing() -> int:
    """Count this release's migrations that the database does not have; a newer one's don't matter.

    Raises DatabaseError or InterfaceError when it can't be asked.
    """
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def unknown() -> int:
    """Count the migrations of the database that this release does not know; a newer one did them.

    Raises DatabaseError or InterfaceError when it can't be asked.
    """
    loader = MigrationExecutor(connection).loader
    return sum(
        app in loader.migrated_apps and (app, name) not in loader.graph.nodes
        for app, name in loader.applied_migrations
    )
