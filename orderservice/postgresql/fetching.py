"""Rows as models, without the ORM's query: for what is read at each step of a hot path."""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, models

from orderservice.postgresql import prepared

M = TypeVar("M", bound=models.Model)


def fetch_one(model: type[M], condition: str, parameters: Mapping[str, Any]) -> M | None:
    """Return the first row that meets a condition of ours, as its model; None without one."""
    return next(iter(fetch(model, condition, parameters)), None)


def fetch(model: type[M], condition: str, parameters: Mapping[str, Any]) -> list[M]:
    """Return the rows that meet a condition of ours, as their model.

    The condition is SQL in fixed words, and may go on after it: ``number = %(number)s FOR UPDATE``.
    """
    with prepared() as cursor:
        cursor.execute(f"{_selection(model)} WHERE {condition}", parameters)
        rows = cursor.fetchall()
    return [model.from_db(DEFAULT_DB_ALIAS, names(model), row) for row in rows]


@cache
def names(model: type[models.Model]) -> list[str]:
    """Return the names of a model's columns, as `from_db` takes them."""
    return [field.attname for field in model._meta.concrete_fields]


@cache
def columns(model: type[models.Model], table: str) -> str:
    """Return a model's columns for a SELECT, each as Python has it."""
    # Django has psycopg hand over jsonb as text, for a converter that is not at work here.
    return ", ".join(
        f'{table}."{field.column}"' + ("::json" if isinstance(field, models.JSONField) else "")
        for field in model._meta.concrete_fields
    )


@cache
def _selection(model: type[models.Model]) -> str:
    table = model._meta.db_table
    return f"SELECT {columns(model, table)} FROM {table}"  # noqa: S608 - of our own words
