"""Where staff have typed an e-mail address or a name, outside the orders that it belongs to."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from django.db import connection
from django.db.models import Model

from orders.models import Batch, Export, OrderNote, SavedFilter, StockBaseline

REPLACEMENT = "(erased)"
SHOWN = 10  # of the rows that name a word, so that somebody can look at them

# The free text of staff: its table and column, and what tells where to look for a row. What they
# search by is looked at by `_filters`.
_TEXTS: tuple[tuple[type[Model], str, str], ...] = (
    (OrderNote, "text", "'of #' || order_id"),
    (Batch, "note", "id"),
    (Export, "selection", "id"),
    (StockBaseline, "note", "'of product ' || product_id"),
)
_FIND = """
    WITH found AS MATERIALIZED (
        SELECT id, {column} AS said, ({place})::text AS place FROM {table}
         WHERE {column} ~* %(every)s
    )
    SELECT word, count(*), (array_agg(place ORDER BY id))[:%(shown)s]
      FROM found JOIN unnest(%(words)s::text[], %(patterns)s::text[]) AS given (word, pattern)
           ON said ~* pattern
     GROUP BY word
"""
_REPLACE = """
    UPDATE {table} SET {column} = regexp_replace({column}, %(every)s, %(replacement)s, 'gi')
     WHERE {column} ~* %(every)s
"""

Mentions = dict[str, int]  # how many rows of each table named somebody, by the table's plural


@dataclass(frozen=True, slots=True)
class Trace:
    """How many rows of a kind bear a word, and which are the first ones to look at."""

    word: str
    where: str  # the kind's plural
    rows: int
    first: tuple[str, ...]


def is_word(text: str) -> bool:
    """Tell whether a text can name anything: it has a letter or a digit."""
    return any(map(str.isalnum, text))


def find(words: Collection[str]) -> list[Trace]:
    """Return the rows that name the words, each as a word of its own, in any case.

    What is no word is named nowhere.
    """
    patterns = {word: _pattern([word]) for word in sorted(filter(is_word, words))}
    if not patterns:
        return []
    given: dict[str, Any] = {
        "every": _pattern(patterns),
        "words": list(patterns),
        "patterns": list(patterns.values()),
        "shown": SHOWN,
    }
    traces = []
    with connection.cursor() as cursor:
        for model, column, place in _TEXTS:
            table = model._meta.db_table
            cursor.execute(_FIND.format(table=table, column=column, place=place), given)
            for word, rows, places in cursor.fetchall():
                traces.append(Trace(word, _plural(model), rows, tuple(dict.fromkeys(places))))
    for word, pattern in patterns.items():
        if naming := [f'"{each.name}"' for each in _filters(pattern)]:
            traces.append(Trace(word, _plural(SavedFilter), len(naming), tuple(naming[:SHOWN])))
    return traces


def replace(words: Collection[str]) -> Mentions:
    """Put `REPLACEMENT` in the place of the words, and delete the saved filters that name one.

    Customers may call themselves anything, "on hold" or "was applied". So only words may be
    replaced whose meaning is sure, as an e-mail address's is, or that a person has looked at.
    Returns in how many rows there was one, as `find` would have found it.
    """
    pattern = _pattern(words)
    if not pattern:
        return {}
    changed: Mentions = {}
    with connection.cursor() as cursor:
        for model, column, _ in _TEXTS:
            cursor.execute(
                _REPLACE.format(table=model._meta.db_table, column=column),
                {"every": pattern, "replacement": REPLACEMENT},
            )
            changed[_plural(model)] = cursor.rowcount
    filters = SavedFilter.objects.filter(pk__in=[each.pk for each in _filters(pattern)])
    changed[_plural(SavedFilter)], _ = filters.delete()
    return {where: rows for where, rows in changed.items() if rows}


def _filters(pattern: str) -> Iterator[SavedFilter]:
    """Yield the filters whose name, or a value of whose address, names one of the words."""
    wanted = re.compile(pattern, re.IGNORECASE)
    for each in SavedFilter.objects.order_by("pk").iterator():
        if any(map(wanted.search, [each.name, *(value for _, value in parse_qsl(each.query))])):
            yield each


def _pattern(words: Collection[str]) -> str:
    """Return a regular expression that PostgreSQL and Python read alike; empty without words.

    It must not be run when it is empty, for that is found everywhere. What stands before and after
    may not go on with a word: mary.ann@example.com is not ann@example.com, nor is John Doering
    John Doe.
    """
    spelt = (r"\s+".join(map(re.escape, word.split())) for word in sorted(filter(is_word, words)))
    either = "|".join(spelt)
    return either and rf"(?<![\w.+-])(?:{either})(?![\w-]|[.]\w)"


def _plural(model: type[Model]) -> str:
    return str(model._meta.verbose_name_plural)
