"""Pages of a list that cost the same however deep they are, and how many orders the list has.

A page is named by the key that it begins below or above, not by its place: no order is skipped or
shown twice because others came or went meanwhile.

Up to EXACT orders are collected and sorted here, unless that is dear. Of more an index gives the
page, in its order. But what is common in the table may be rare where the page is, and the index
would be read to its end: so a search looks at a window of the numbers first, and collects after
that.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

from django.db.models import BigIntegerField, F, Max, Min, Q
from django.db.models.functions import Cast, Extract

from orders.models import Order
from orders.queries.filtering import EXACT, Found

# Collecting is not begun when the planner expects more orders, or a higher cost in its own unit:
# 15,000 of it are about 40 ms of CPU.
MOST_EXPECTED, DEAR = 15_000, 15_000
WINDOW = 20_000  # numbers
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AS_NUMBERS = {  # microseconds since 1970, and hundredths of the currency's unit
    "created_at": Cast(Extract("created_at", "epoch") * 1_000_000, BigIntegerField()),
    "updated_at": Cast(Extract("updated_at", "epoch") * 1_000_000, BigIntegerField()),
    "total": Cast(F("total") * 100, BigIntegerField()),
}
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)  # what fits a bigint

Key = tuple[int, ...]  # what a list is sorted by, in whole numbers
Side = Literal["below", "above"]


class Count(int):
    """How many orders there are: exactly, ``about`` so many, or ``more than`` so many."""

    word = ""

    @property
    def exact(self) -> bool:
        """Whether it is a count, and not an estimate or a bound."""
        return not self.word

    @classmethod
    def counted(cls, number: int, *, most: int = EXACT) -> "Count":
        """Return a count that ended at the first one after ``most``."""
        count = cls(min(number, most))
        count.word = "more than " if number > most else ""
        return count

    @classmethod
    def guessed(cls, estimate: int, *, more_than: int) -> "Count":
        """Return what the planner knows of orders that nobody has counted to the end."""
        count = cls(max(estimate, more_than))
        count.word = "about " if estimate > more_than else "more than "
        return count

    @property
    def briefly(self) -> str:
        """The number, with a plus when it is not all."""
        return f"{int(self):,}{'' if self.exact else '+'}"

    def __str__(self) -> str:
        return f"{self.word}{int(self):,}"


class Sort(Enum):
    """By what a list can be sorted: what an index serves, and among equals the number."""

    NUMBER = ("number",)
    AGE = ("created_at", "number")
    UPDATED = ("updated_at", "number")
    TOTAL = ("total", "number")

    @property
    def descending(self) -> list[str]:
        """The sort as Django takes it, the newest or the highest first."""
        return [f"-{name}" for name in self.value]

    @property
    def ascending(self) -> list[str]:
        """The sort as Django takes it, the oldest or the lowest first."""
        return list(self.value)

    def beyond(self, side: Side, key: Key) -> Q:
        """Return the condition of the orders on one side of a key."""
        than = "lt" if side == "below" else "gt"
        last = Q(**{f"{self.value[-1]}__{than}": key[-1]})
        if self is Sort.NUMBER:
            return last
        # The first condition says nothing new, but it is the one that bounds the index.
        column, value = self.value[0], self._value(key[0])
        bound = Q(**{f"{column}__{than}e": value})
        return bound & (Q(**{f"{column}__{than}": value}) | last)

    def _value(self, number: int) -> datetime | Decimal:
        """Return what a number in a key stands for; raise `ValueError` beyond the year 9999."""
        return Decimal(number) / 100 if self is Sort.TOTAL else _moment(number)

    @property
    def columns(self) -> list[Any]:
        """What makes up a key, as numbers: a million moments take much longer to read."""
        return [*(_AS_NUMBERS[name] for name in self.value[:-1]), "number"]

    @property
    def computed(self) -> list[Any]:
        """The sort by values that no index has."""
        return [*(_AS_NUMBERS[name] for name in self.value[:-1]), F("number") + 0]

    def text(self, key: Key) -> str:
        """Return a key as it stands in an address."""
        return ".".join(map(str, key))

    def key(self, text: str) -> Key:
        """Return the key that stands in an address; raise `ValueError` when it is none."""
        parts = text.split(".")
        if len(parts) != len(self.value) or not all(map(_NUMBER.fullmatch, parts)):
            raise ValueError(text)
        key = tuple(map(int, parts))
        if self is not Sort.NUMBER:
            self._value(key[0])
        return key

    def before(self, moment: datetime) -> Key:
        """Return a key below which are the orders that were placed before a moment."""
        if self is Sort.AGE:
            return ((moment - _EPOCH) // timedelta(microseconds=1), 0)
        earlier = Order.objects.filter(created_at__lt=moment).order_by(*Sort.AGE.descending)
        return ((earlier.values_list("number", flat=True).first() or 0) + 1,)

    def since(self, moment: datetime) -> Key:
        """Return a key above which are the orders that were placed from a moment on."""
        key = self.before(moment)
        return key if self is Sort.AGE else (key[0] - 1,)

    def at(self, number: int) -> Key:
        """Return the key of an order, or of the last one before it; zeros when there is none."""
        if self is Sort.NUMBER:
            return (number,)
        near = Order.objects.filter(number__lte=number).order_by("-number")
        return near.values_list(*self.columns).first() or (0, 0)


def _moment(microseconds: int) -> datetime:
    """Return a moment from the time since 1970; raise `ValueError` beyond the year 9999."""
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError as exc:
        raise ValueError(microseconds) from exc


@dataclass(frozen=True, slots=True)
class Page:
    """Some keys of a list, the newest first; whether there are more; and how many in all."""

    keys: list[Key]
    more_below: bool
    more_above: bool
    count: Count

    @property
    def numbers(self) -> list[int]:
        """The orders' numbers."""
        return [key[-1] for key in self.keys]


def page(found: Found, sort: Sort, *, side: Side, key: Key | None, limit: int) -> Page:
    """Return at most ``limit`` orders next to a key, or at the list's newest or oldest end.

    ``below`` no key is the newest end, ``above`` none the oldest.
    """
    some = _collect(found, sort)
    if some is not None and len(some) <= EXACT:
        near, count = _beyond(some, side, key), Count(len(some))
        behind = len(near) < len(some)
    else:
        near = _nearest(found, sort, side, key, limit + 1)
        count = Count.guessed(found.plan.rows, more_than=0 if some is None else EXACT)
        behind = key is not None
    more, keys = len(near) > limit, near[:limit]
    if side == "above":
        keys.reverse()
    return Page(
        keys,
        more_below=more if side == "below" else behind,
        more_above=more if side == "above" else behind,
        count=count,
    )


def page_after(found: Found, sort: Sort, *, side: Side, skip: int, limit: int) -> Page:
    """Return the page behind the first ``skip`` orders, at a cost that grows with them."""
    if not skip:
        return page(found, sort, side=side, key=None, limit=limit)
    some = _collect(found, sort)
    if some is not None and len(some) <= EXACT:
        keys, count = some if side == "below" else some[::-1], Count(len(some))
        keys = keys[skip : skip + limit + 1]
    else:
        order = sort.descending if side == "below" else sort.ascending
        rows = found.orders().order_by(*order).values_list(*sort.columns)
        keys = list(rows[skip : skip + limit + 1])
        count = Count.guessed(found.plan.rows, more_than=0 if some is None else EXACT)
    more, keys = len(keys) > limit, keys[:limit]
    if side == "above":
        keys = keys[::-1]
    return Page(
        keys,
        more_below=more if side == "below" else True,
        more_above=more if side == "above" else True,
        count=count,
    )


def _collect(found: Found, sort: Sort) -> list[Key] | None:
    """Return the keys of at most one order more than EXACT, the newest first; None if dear."""
    if found.plan.rows > MOST_EXPECTED or found.plan.cost > DEAR:
        return None
    return sorted(_rows(found, sort, Q(), (), EXACT + 1), reverse=True)


def _beyond(keys: list[Key], side: Side, key: Key | None) -> list[Key]:
    """Return the keys on one side of a key, the nearest first."""
    if side == "above":
        keys = keys[::-1]
        return keys if key is None else [each for each in keys if each > key]
    return keys if key is None else [each for each in keys if each < key]


def _nearest(found: Found, sort: Sort, side: Side, key: Key | None, limit: int) -> list[Key]:
    """Return the keys that come next on one side of a key, the nearest first."""
    beyond = Q() if key is None else sort.beyond(side, key)
    order: list[Any] = sort.descending if side == "below" else sort.ascending
    keys: set[Key] = set()
    if found.ways:
        keys = _rows(found, sort, beyond & _window(found, sort, side, key), order, limit)
        # These are no columns: no index seems to have the orders sorted already.
        order = [each.desc() if side == "below" else each.asc() for each in sort.computed]
    if len(keys) < limit:
        keys = _rows(found, sort, beyond, order, limit)
    return sorted(keys, reverse=side == "below")[:limit]


def _window(found: Found, sort: Sort, side: Side, key: Key | None) -> Q:
    """Return the condition of the WINDOW orders that are nearest to a key, or to the list's end."""
    below = side == "below"
    if sort is Sort.NUMBER:
        end = Max("number") if below else Min("number")
        start = key[0] if key else Order.objects.aggregate(end=end)["end"] or 0
        return Q(number__gte=start - WINDOW) if below else Q(number__lte=start + WINDOW)
    near = Order.objects.filter(found.period, Q() if key is None else sort.beyond(side, key))
    edges = near.order_by(*(sort.descending if below else sort.ascending))[WINDOW : WINDOW + 1]
    edge = edges.values_list(*sort.columns).first()
    return Q() if edge is None else sort.beyond("above" if below else "below", edge)


def _rows(found: Found, sort: Sort, condition: Q, order: Sequence[Any], limit: int) -> set[Key]:
    """Return the keys of so many orders of each arm: the first in an order, or any."""
    arms = [
        arm.filter(condition).order_by(*order).values_list(*sort.columns)[:limit]
        for arm in found.arms
    ]
    return set(arms[0].union(*arms[1:]) if len(arms) > 1 else arms[0])
