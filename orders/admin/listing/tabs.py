"""The tabs above the order list: the queues that staff work through, and how long each is."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from orders import queries
from orders.queries import OrderFilter
from orders.status import OrderStatus, StockState


@dataclass(frozen=True, slots=True)
class Tab:
    """A queue: its address, its length in words, and whether the list shows it."""

    title: str
    link: str
    length: str
    active: bool


# What each tab asks for, as the list's address and as a filter.
_TABS: dict[str, tuple[dict[str, str], OrderFilter]] = {
    "All": ({}, OrderFilter()),
    **{
        status.capitalize(): ({"status__exact": status.value}, OrderFilter(status=status))
        for status in OrderStatus
    },
    **{
        title: ({"stock_state__exact": state.value}, OrderFilter(stock=state))
        for title, state in (
            ("Needs review", StockState.REVIEW),
            ("Short", StockState.SHORT),
            ("Settling", StockState.SETTLING),
        )
    },
    "On hold": ({"held_since__isnull": "False"}, OrderFilter(on_hold=True)),
}
_QUEUES = ("status__exact", "stock_state__exact", "held_since__isnull")


def tabs(in_use: Mapping[str, str]) -> list[Tab]:
    """Return the tabs; a list that is narrowed further still shows its queue as the active one."""
    lengths = queries.lengths([wanted for _, wanted in _TABS.values()])
    here = {name: value for name, value in in_use.items() if name in _QUEUES}
    return [
        Tab(title, f"?{urlencode(asked)}", length.briefly, active=asked == here)
        for (title, (asked, _)), length in zip(_TABS.items(), lengths, strict=True)
    ]
