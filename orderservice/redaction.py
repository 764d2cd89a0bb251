"""What may be told of an exception: in a log line, at Sentry, and on a command's terminal.

The words of some exceptions repeat values. PostgreSQL's show the row that it refused, a mail
server's whom it does not know, a validation's what was sent. Of those only what is no value is
told: the type, the SQLSTATE, the names of constraint, table and column, and the places in the code.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator

import psycopg
from django.core.exceptions import ValidationError
from django.db import Error as DjangoError

# By the names of their modules: who sends no mail need not load what does.
_REPEAT_VALUES = ("smtplib", "rest_framework.exceptions")
# They tell of the server, of a connection, or of a name in our own statement; never of a row.
_TELL_NO_ROW = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
)
_CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"


def told(exc: BaseException) -> str:
    """Return what may be told of an exception besides its type; empty when that is all."""
    if isinstance(exc, psycopg.Error | DjangoError):
        return _of_the_database(exc)
    modules = {base.__module__ for base in type(exc).__mro__}
    if isinstance(exc, ValidationError) or not modules.isdisjoint(_REPEAT_VALUES):
        return ""
    try:
        return "\n".join([str(exc), *getattr(exc, "__notes__", [])])
    except Exception:  # whatever its own words do, the line about it must be written
        return ""


def summary(exc: BaseException) -> str:
    """Return an exception's type, and what may be told of it, in the form of Python's last line."""
    kind, words = type(exc), told(exc)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}: {words}" if words else f"{module}{kind.__qualname__}"


def stack(exc: BaseException) -> str:
    """Return an exception with its places, and those it came of, as Python would print them."""
    return "".join(_paragraphs(exc)).rstrip("\n")


def chain(exc: BaseException) -> Iterator[BaseException]:
    """Yield an exception, those it came of, and the members of groups, each once."""
    waiting, seen = [exc], set()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [before for before in (each.__cause__, each.__context__) if before is not None]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions


def _of_the_database(exc: BaseException) -> str:
    """Return the names that an error of the database has, which Django wraps."""
    error = exc if isinstance(exc, psycopg.Error) else exc.__cause__
    if not isinstance(error, psycopg.Error):
        return ""
    about = error.diag
    words = None
    if isinstance(error, _TELL_NO_ROW):  # the latter of a connection that can't be made, or is gone
        words = about.message_primary if about.sqlstate else str(error)
    named = {
        "SQLSTATE": about.sqlstate or error.sqlstate,
        "constraint": about.constraint_name,
        "table": about.table_name,
        "column": about.column_name,
    }
    names = ", ".join(f"{what} {name}" for what, name in named.items() if name)
    return f"{words} ({names})" if words and names else words or names


def _paragraphs(exc: BaseException) -> Iterator[str]:
    links: list[BaseException] = []
    each: BaseException | None = exc
    while each is not None and not any(each is link for link in links):
        links.append(each)
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    for index in range(len(links) - 1, -1, -1):
        link = links[index]
        if link.__traceback__ is not None:
            yield "Traceback (most recent call last):\n"
            yield from traceback.format_tb(link.__traceback__)
        yield f"{summary(link)}\n"
        if isinstance(link, BaseExceptionGroup):
            for number, member in enumerate(link.exceptions, 1):
                yield f"\n{number} of {len(link.exceptions)} in this group:\n\n"
                yield from _paragraphs(member)
        if index:
            yield _CAUSE if links[index - 1].__cause__ is link else _CONTEXT
