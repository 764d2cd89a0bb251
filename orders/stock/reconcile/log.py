"""What our log tells of changes of stock, whatever has become of the database since.

``orders.stock`` writes these lines; docs/operations.md says what each means. A call whose process
died before the answer has none.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from inventory_client.errors import OutcomeUnknown
from orders.status import MovementState
from orders.stock.reconcile.reading import moment

_WRAPPED_IN = ("log", "message")  # where Docker's and other collectors keep the line itself


@dataclass(frozen=True, slots=True)
class Told:
    """A change that was asked for; its quantity in pieces, below 0 when it takes."""

    order: int
    movement: UUID
    product_id: str
    delta: int


@dataclass(slots=True)
class Heard:
    """What the lines tell of each movement: that it was done, or that nobody found out."""

    done: dict[UUID, Told] = field(default_factory=dict)
    open: dict[UUID, Told] = field(default_factory=dict)
    lines: int = 0  # that a logger of ours wrote
    first: datetime | None = None  # of those


@dataclass(frozen=True, slots=True)
class _Outcome:
    at: datetime
    told: Told
    is_open: bool


def hear(lines: Iterable[str], since: datetime) -> Heard:
    """Read lines in any order, of any number of processes; what is no line of ours is passed over.

    Two of one movement are one change, and one that says that it was done is the last word. Else
    the latest counts: what was not done may have been sent again.
    """
    heard = Heard()
    outcomes: dict[UUID, _Outcome] = {}
    for at, line in _dated(lines):
        heard.lines += 1
        heard.first = min(at, heard.first or at)
        if at < since or (told := _told(line)) is None:
            continue
        match line:
            case {"event": "stock_moved"} | {
                "event": "stock_read_back",
                "to": MovementState.APPLIED,
            }:
                heard.done[told.movement] = told
            case {"event": "stock_read_back", "to": to}:
                _keep_latest(outcomes, _Outcome(at, told, to == MovementState.REVIEW))
            case {"event": "inventory_call_failed", "outcome": OutcomeUnknown.__name__} | {
                "event": "inventory_call_failed",
                "again": True,  # its failure says nothing of the first call
            }:
                _keep_latest(outcomes, _Outcome(at, told, is_open=True))
    heard.open = {
        key: each.told for key, each in outcomes.items() if each.is_open and key not in heard.done
    }
    return heard


def _dated(lines: Iterable[str]) -> Iterator[tuple[datetime, Mapping[str, Any]]]:
    for text in lines:
        line = _fields(text)
        at = moment(str(line.get("timestamp")))
        if at is not None and "event" in line:
            yield at, line


def _fields(text: str) -> Mapping[str, Any]:
    """Return a line's fields; before them may stand what a collector has put there."""
    try:
        line: dict[str, Any] = json.loads(text[text.index("{") :])
    except ValueError:
        return {}
    for name in _WRAPPED_IN:
        if "event" not in line and isinstance(line.get(name), str):
            return _fields(line[name])
    return line


def _told(line: Mapping[str, Any]) -> Told | None:
    """Return which movement a line is about; None when it is about none."""
    match line:
        case {
            "order": int(order),
            "movement": str(movement),
            "product": str(product),
            "quantity": int(delta),
        }:
            try:
                return Told(order, UUID(movement), product, delta)
            except ValueError:
                return None
    return None


def _keep_latest(outcomes: dict[UUID, _Outcome], outcome: _Outcome) -> None:
    known = outcomes.get(outcome.told.movement)
    if known is None or known.at <= outcome.at:
        outcomes[outcome.told.movement] = outcome
