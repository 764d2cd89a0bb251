"""What a client may ask for how often: the limits, in the words of ``API_THROTTLES``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

_RATE = re.compile(r"([1-9][0-9]{0,8})/(s|sec|min|hour|day)")
_PERIODS = {"s": 1, "sec": 1, "min": 60, "hour": 60 * 60, "day": 24 * 60 * 60}  # seconds


class Scope(StrEnum):
    """What is counted apart."""

    ORDERS = "orders"  # creations, of a guest's address or a customer
    STATUS = "status"  # changes of an order, of a user
    LISTS = "lists"  # pages of the list, of a user
    KEYS = "keys"  # all these of one API key, which a whole shop may stand behind
    TOKENS = "tokens"  # tokens asked for or renewed, of an address
    LOGIN = "login"  # sign-ins at a form, and links asked for, of an address
    RESETS = "resets"  # mails with a link for a new password, to a user


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests within so many seconds."""

    limit: int
    seconds: int

    def __str__(self) -> str:
        return f"{self.limit} in {self.seconds} s"


@dataclass(frozen=True, slots=True)
class Limits:
    """The rate of each scope; ``open_orders`` caps a guest address's PENDING orders, None not."""

    rates: Mapping[Scope, Rate]
    open_orders: int | None


DEFAULTS = Limits(
    {
        Scope.ORDERS: Rate(30, 60),
        Scope.STATUS: Rate(120, 60),
        Scope.LISTS: Rate(120, 60),
        Scope.KEYS: Rate(1200, 60),
        Scope.TOKENS: Rate(10, 60),
        Scope.LOGIN: Rate(30, 60),
        Scope.RESETS: Rate(3, 60 * 60),
    },
    open_orders=20,
)
NONE = Limits({}, open_orders=None)


def parsed(text: str) -> Limits:
    """Return the limits of a setting: ``on``, ``off``, or changes to the defaults by comma.

    ``orders=60/min,lists=off,open=50``; a period is ``s``, ``min``, ``hour`` or ``day``. Raises
    `ValueError` with a reason.
    """
    if text.strip().lower() in ("", "on"):
        return DEFAULTS
    if text.strip().lower() == "off":
        return NONE
    rates, open_orders = dict(DEFAULTS.rates), DEFAULTS.open_orders
    for part in text.split(","):
        name, _, value = (word.strip() for word in part.partition("="))
        if name == "open":
            open_orders = None if value == "off" else _count(value)
        elif name not in list(Scope):
            raise ValueError(f"{name!r} is none of open, {', '.join(Scope)}")
        elif value == "off":
            rates.pop(Scope(name), None)
        else:
            rates[Scope(name)] = _rate(value)
    return Limits(rates, open_orders)


def _rate(text: str) -> Rate:
    match = _RATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no rate like 30/min")
    return Rate(int(match[1]), _PERIODS[match[2]])


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise ValueError(f"{text!r} is no count above 0")
    return int(text)
