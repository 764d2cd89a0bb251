"""Times that are given to a command."""

from argparse import ArgumentTypeError
from datetime import UTC, datetime

from orders.stock.reconcile import moment


def past(text: str) -> datetime:
    """Return a time that is over; raises ``ArgumentTypeError``. Without a zone it is UTC."""
    at = moment(text)
    if at is None:
        raise ArgumentTypeError(f"{text!r} is no time like 2026-11-26T10:15:30Z")
    if at > datetime.now(UTC):
        raise ArgumentTypeError(f"{text!r} is yet to come")
    return at
