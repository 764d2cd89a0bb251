"""An order's timeline: who did what, when, and through which door."""

from collections.abc import Iterable
from dataclasses import dataclass

from orders.admin import words
from orders.models import OrderEvent
from orders.status import Door, EventKind


@dataclass(frozen=True, slots=True)
class Happening:
    """An event as the timeline tells it."""

    event: OrderEvent
    what: str
    who: str
    door: str
    change: str
    why: str


def told(events: Iterable[OrderEvent], people: dict[str, str] | None = None) -> list[Happening]:
    """Return the events in words; ``people`` are those of `words.names`, if they are known."""
    every = list(events)
    names = words.names(event.actor for event in every) if people is None else people
    return [_told(event, names) for event in every]


def _told(event: OrderEvent, people: dict[str, str]) -> Happening:
    moved = bool(event.from_status) and event.from_status != event.to_status
    change = f"{event.from_status} → {event.to_status}" if moved else ""
    return Happening(
        event,
        words.EVENTS[EventKind(event.kind)],
        people[event.actor],
        words.DOORS[Door(event.via)],
        change,
        words.explanation(event),
    )
