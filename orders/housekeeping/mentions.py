"""Where staff have typed an e-mail address or a name, outside the orders that it belongs to."""

import re
from collections.abc import Collection
from urllib.parse import parse_qsl

from django.db import connection
from django.db.models import Model, QuerySet

from orders.models import Batch, Export, OrderNote, SavedFilter

REPLACEMENT = "(erased)"

# The free text of staff, by table and column. What they search by is in `_filters`.
_TEXTS: tuple[tuple[type[Model], str], ...] = (
    (OrderNote, "text"),
    (Batch, "note"),
    (Export, "selection"),
)
_COUNT = "SELECT count(*) FROM {table} WHERE {column} ~* %(pattern)s"
_REPLACE = """
    UPDATE {table} SET {column} = regexp_replace({column}, %(pattern)s, %(replacement)s, 'gi')
     WHERE {column} ~* %(pattern)s
"""

Mentions = dict[str, int]  # how many rows of each table name somebody, by the table's plural


def is_word(text: str) -> bool:
    """Tell whether a text can name anything: it has a letter or a digit."""
    return any(map(str.isalnum, text))


def find(words: Collection[str]) -> Mentions:
    """Count the rows that name one of the words, as a word of its own, in any case.

    What is no word is named nowhere.
    """
    pattern = _pattern(words)
    if not pattern:
        return {}
    found = {_plural(model): _run(_COUNT, model, column, pattern) for model, column in _TEXTS}
    return _those(found | {_plural(SavedFilter): _filters(pattern).count()})


def replace(words: Collection[str]) -> Mentions:
    """Put `REPLACEMENT` in the place of the words, and delete the saved filters that name one.

    Customers may call themselves anything, "on hold" or "was applied". So only words may be
    replaced whose meaning is sure, as an e-mail address's is, or that a person has looked at.
    Returns what `find` would have.
    """
    pattern = _pattern(words)
    if not pattern:
        return {}
    changed = {_plural(model): _run(_REPLACE, model, column, pattern) for model, column in _TEXTS}
    filters, _ = _filters(pattern).delete()
    return _those(changed | {_plural(SavedFilter): filters})


def _filters(pattern: str) -> QuerySet[SavedFilter]:
    """Return the filters whose name, or a value of whose address, names one of the words."""
    wanted = re.compile(pattern, re.IGNORECASE)
    keys = [
        each.pk
        for each in SavedFilter.objects.iterator()
        if any(map(wanted.search, [each.name, *(value for _, value in parse_qsl(each.query))]))
    ]
    return SavedFilter.objects.filter(pk__in=keys)


def _pattern(words: Collection[str]) -> str:
    """Return a regular expression that PostgreSQL and Python read alike; empty without words.

    It must not be run when it is empty, for that is found everywhere. What stands before and after
    may not go on with a word: mary.ann@example.com is not ann@example.com, nor is John Doering
    John Doe.
    """
    spelt = (r"\s+".join(map(re.escape, word.split())) for word in sorted(filter(is_word, words)))
    return "|".join(rf"(?<![\w.+-]){each}(?![\w-]|[.]\w)" for each in spelt)


def _run(statement: str, model: type[Model], column: str, pattern: str) -> int:
    """Run a statement on a table's column; return the count that it gives, or of its rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            statement.format(table=model._meta.db_table, column=column),
            {"pattern": pattern, "replacement": REPLACEMENT},
        )
        return int(cursor.fetchone()[0]) if cursor.description else int(cursor.rowcount)


def _those(rows: Mentions) -> Mentions:
    return {where: number for where, number in rows.items() if number}


def _plural(model: type[Model]) -> str:
    return str(model._meta.verbose_name_plural)
