"""What commands take as arguments, read once and refused in words."""

from argparse import ArgumentTypeError
from datetime import datetime

from orders.stock import reconcile


def moment(text: str) -> datetime:
    """Return a time as people type it, UTC unless it names a zone; raise ArgumentTypeError."""
    at = reconcile.moment(text)
    if at is None:
        raise ArgumentTypeError(f"{text!r} is no time like 2026-11-26T10:15:30Z")
    return at


def at_least_one(text: str) -> int:
    """Return a whole number above 0; raise ArgumentTypeError."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise ArgumentTypeError(f"{text!r} is not at least 1")
    return number
