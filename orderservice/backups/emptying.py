"""What a restore empties: what is this service's in the schema ``public``, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psycopg
from django.apps import AppConfig, apps
from django.db.migrations.recorder import MigrationRecorder

from orderservice.backups.archive import Archive
from orderservice.backups.database import BackupError, place

_NAMED = 5  # of what is somebody else's, or may be
# Not what goes with something else: the sequence of a column, the partition of a table; and not an
# extension with what belongs to it: to make it again may be a superuser's right.
_FOUND = """
SELECT name, format('DROP %s IF EXISTS public.%s CASCADE;', kind, identity),
       kind IN ('TABLE', 'FOREIGN TABLE') FROM (
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
# CASCADE takes a column of a type that is dropped, with all its values, and a table that inherits.
# So it does where the type is made of such a one: an array, a domain, a composite type, a row.
_BUILT_ON = """
WITH RECURSIVE made_of (type, name) AS (
  SELECT oid, typname::text FROM pg_type WHERE typnamespace = 'public'::regnamespace
  UNION
  SELECT coalesce(c.reltype, d.objid), made_of.name
    FROM made_of
    JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = made_of.type
                    AND d.classid IN ('pg_type'::regclass, 'pg_class'::regclass)
    LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid)
SELECT format('%I.%I', n.nspname, c.relname), made_of.name
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'f')
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname <> 'public'
  JOIN made_of ON made_of.type = a.atttypid
 WHERE NOT a.attisdropped
UNION
SELECT format('%I.%I', n.nspname, c.relname), parent.relname::text
  FROM pg_inherits i
  JOIN pg_class c ON c.oid = i.inhrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname <> 'public'
  JOIN pg_class parent ON parent.oid = i.inhparent
                      AND parent.relnamespace = 'public'::regnamespace
 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Emptying:
    """The statements that drop what is this service's, whichever release has made it.

    ``unknown`` are tables among it that neither the dump nor this release has: a newer release's,
    or somebody else's that are called as ours are.
    """

    statements: str
    unknown: tuple[str, ...]


def emptying(connection: psycopg.Connection, archive: Archive) -> Emptying:
    """Return how to drop what is this service's.

    That is what is named as this service's tables are, and Django's own tables when the dump has
    them. Raises BackupError, which names some of it, when there is anything else: it is somebody
    else's, and though the dump should have it, its rows of today are in no dump. Likewise when
    another schema's rows would go with ours.
    """
    ours = tuple(f"{label}_" for label in _labels())
    djangos = _djangos_tables() & archive.tables
    known = archive.tables | _tables_of(apps.get_app_configs())
    statements, others, unknown = [], [], []
    for name, statement, has_rows in connection.execute(_FOUND):
        if name in djangos or name.startswith(ours):
            statements.append(statement)
            if has_rows and name not in known:
                unknown.append(name)
        else:
            others.append(name)
    if others:
        raise BackupError(
            f"The schema public of {place(connection)} has what is not this service's:"
            f" {some(others)}. A restore would have to drop it, and no option"
            " does: move it to another schema (ALTER TABLE … SET SCHEMA …) or another database,"
            " or drop it yourself."
        )
    built_on = {
        table: None  # once each, in their order
        for table, name in connection.execute(_BUILT_ON)
        if name in djangos or name.startswith(ours)
    }
    if built_on:
        raise BackupError(
            f"In {place(connection)} other schemas have tables with columns of this service's"
            f" types, or that inherit from its tables: {some(list(built_on))}. A restore would drop"
            " those columns, or tables, with what they hold: make them of a type of their own"
            " (ALTER TABLE … ALTER COLUMN … TYPE text), or drop them yourself."
        )
    return Emptying("\n".join(statements), tuple(unknown))


def some(names: Sequence[str]) -> str:
    """Return the first of some names, and how many there are more."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _labels() -> list[str]:
    """Return the apps whose tables nobody else has; Django's own are any Django service's."""
    return [app.label for app in apps.get_app_configs() if not _is_djangos(app)]


def _djangos_tables() -> set[str]:
    """Return the tables that migrate makes for Django itself."""
    migrations = {MigrationRecorder.Migration._meta.db_table}
    return migrations | _tables_of(filter(_is_djangos, apps.get_app_configs()))


def _tables_of(configs: Iterable[AppConfig]) -> set[str]:
    return {
        model._meta.db_table
        for app in configs
        for model in app.get_models(include_auto_created=True)
    }


def _is_djangos(app: AppConfig) -> bool:
    return app.name.startswith("django.contrib.")
