"""What a restore empties: what is this service's in the schema ``public``, and nothing else."""

from __future__ import annotations

import psycopg
from django.apps import AppConfig, apps
from django.db.migrations.recorder import MigrationRecorder

from orderservice.backups.archive import Archive
from orderservice.backups.database import BackupError, place

_NAMED = 5  # of what is somebody else's
# Not what goes with something else: the sequence of a column, the partition of a table; and not an
# extension with what belongs to it: to make it again may be a superuser's right.
_FOUND = """
SELECT name, format('DROP %s IF EXISTS public.%s CASCADE;', kind, identity) FROM (
  SELECT CASE relkind WHEN 'v' THEN 2 WHEN 'm' THEN 2 WHEN 'S' THEN 3 ELSE 1 END AS turn,
         CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                      WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END
           AS kind,
         relname::text AS name, quote_ident(relname) AS identity,
         'pg_class'::regclass AS class, oid AS object
    FROM pg_class
   WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  UNION ALL
  SELECT 4, 'ROUTINE', proname,
         format('%I(%s)', proname, pg_get_function_identity_arguments(oid)),
         'pg_proc'::regclass, oid
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL
  SELECT 5, 'TYPE', typname, quote_ident(typname), 'pg_type'::regclass, t.oid
    FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
   WHERE typnamespace = 'public'::regnamespace
     AND (typtype IN ('e', 'd', 'r') OR (typtype = 'c' AND c.relkind = 'c'))
) AS found
 WHERE NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = class AND d.objid = object AND d.objsubid = 0
                      AND d.deptype IN ('e', 'i', 'a'))
 ORDER BY turn, name, identity
"""


def emptying(connection: psycopg.Connection, archive: Archive) -> str:
    """Return the statements that drop what is this service's, whichever release has made it.

    That is what is named as this service's tables are, and Django's own tables when the dump has
    them. Raises BackupError, which names some of it, when there is anything else: it is somebody
    else's, and though the dump should have it, its rows of today are in no dump.
    """
    ours = tuple(f"{label}_" for label in _labels())
    djangos = _djangos_tables() & archive.tables
    statements, others = [], []
    for name, statement in connection.execute(_FOUND):
        if name in djangos or name.startswith(ours):
            statements.append(statement)
        else:
            others.append(name)
    if others:
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        raise BackupError(
            f"The schema public of {place(connection)} has what is not this service's:"
            f" {', '.join(others[:_NAMED])}{more}. A restore would have to drop it, and no option"
            " does: move it to another schema (ALTER TABLE … SET SCHEMA …) or another database,"
            " or drop it yourself."
        )
    return "\n".join(statements)


def _labels() -> list[str]:
    """Return the apps whose tables nobody else has; Django's own are any Django service's."""
    return [app.label for app in apps.get_app_configs() if not _is_djangos(app)]


def _djangos_tables() -> set[str]:
    """Return the tables that migrate makes for Django itself."""
    tables = {MigrationRecorder.Migration._meta.db_table}
    for app in filter(_is_djangos, apps.get_app_configs()):
        tables |= {model._meta.db_table for model in app.get_models(include_auto_created=True)}
    return tables


def _is_djangos(app: AppConfig) -> bool:
    return app.name.startswith("django.contrib.")
