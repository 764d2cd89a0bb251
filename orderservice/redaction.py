"""What may be told of an exception: in a log line, at Sentry, and on a command's terminal.

The words of most exceptions may repeat values: PostgreSQL's show the row that it refused, a mail
server's whom it does not know, a template's all that it was given, a KeyError's what was sent. A
list of those is never whole. So words are told of the kinds below alone, which repeat none: our own
exceptions, what the operating system says, and what says how something was set up or written. Those
are what an operator can act on. Any other is a bug, and has its type and its places, with the line
of the code that failed; of PostgreSQL's there are the SQLSTATE and names, too.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DjangoError

# Whoever writes an exception in these writes words that may be logged.
_OURS = frozenset({"inventory_client", "orders", "orderservice"})
_REPEAT_NO_VALUE = (AttributeError, ImportError, NameError, ImproperlyConfigured)
# By the names of their modules: who shows no page need not load what does.
_MODULES_THAT_REPEAT_NONE = frozenset({"django.template.exceptions"})
_OF_THE_SYSTEM = frozenset({"builtins", "socket", "ssl"})  # a mail server's are OSErrors, too
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
    if not _repeats_no_value(exc):
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


def _repeats_no_value(exc: BaseException) -> bool:
    module = type(exc).__module__
    if isinstance(exc, OSError) and module in _OF_THE_SYSTEM:
        return exc.errno is not None  # else somebody has put the words together
    return (
        isinstance(exc, _REPEAT_NO_VALUE)
        or module in _MODULES_THAT_REPEAT_NONE
        or module.partition(".")[0] in _OURS
    )


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
