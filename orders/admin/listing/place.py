"""Where in the order list a page begins: what its address says, or what a jump asks for."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.http import QueryDict

from orders.admin.base import TextInput
from orders.admin.listing.form import Day
from orders.queries import Key, Page, Side, Sort

NEWEST, OLDEST = "newest", "oldest"
ENDS: dict[str, Side] = {NEWEST: "below", OLDEST: "above"}


class JumpForm(forms.Form):
    """Where in the list to go: to a day, or to a number."""

    day = Day(label="Go to day", required=False)
    number = forms.RegexField(
        r"^#?[0-9]{1,17}$",
        label="or number",
        required=False,
        widget=TextInput(attrs={"inputmode": "numeric"}),
        error_messages={"invalid": "is no order number"},
    )


@dataclass(frozen=True, slots=True)
class Place:
    """A side of a key, or an end of the list, and what there is to say about how one got there."""

    side: Side
    key: Key | None = None
    note: str = ""


def place(query: QueryDict, sort: Sort, *, ascending: bool) -> Place:
    """Return the place that an address means; where it means none, the list's beginning."""
    beginning = Place("above" if ascending else "below")
    jump = JumpForm(query)
    if not jump.is_valid():
        faults = [
            f"{jump[name].label}: {' '.join(map(str, jump.errors[name]))}" for name in jump.errors
        ]
        return Place(beginning.side, note=". ".join(faults))
    if target := _target(jump.cleaned_data, sort, ascending=ascending):
        return Place(beginning.side, target)
    if end := ENDS.get(query.get("at", "")):
        return Place(end)
    for side in ENDS.values():
        if text := query.get(side):
            try:
                return Place(side, sort.key(text))
            except ValueError:
                return Place(beginning.side, note="The address names no page; this is the first.")
    return beginning


def _target(wanted: dict[str, Any], sort: Sort, *, ascending: bool) -> Key | None:
    """Return the key that a jump leads to; the order, or all of the day, comes after it."""
    if day := wanted["day"]:
        return sort.since(day) if ascending else sort.before(day + timedelta(days=1))
    if not wanted["number"]:
        return None
    *age, number = sort.at(int(wanted["number"].removeprefix("#")))
    return (*age, number - 1 if ascending else number + 1)


def ways_from(page: Page, sort: Sort) -> dict[str, dict[str, str] | None]:
    """Return the parameters of the pages around this one, by name; None where there is none."""
    above, below = page.more_above, page.more_below
    ends = page.keys[:1] + page.keys[-1:]
    return {
        "Newest": {"at": NEWEST} if above else None,
        "Newer": {"above": sort.text(ends[0])} if above and ends else None,
        "Older": {"below": sort.text(ends[-1])} if below and ends else None,
        "Oldest": {"at": OLDEST} if below else None,
    }
