"""What the order page leads to besides its verbs: other parts of the admin offer their links."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from orders.actor import Actor
from orders.models import Order


@dataclass(frozen=True, slots=True)
class Link:
    """A link in the page's actions; ``icon`` is the name of a Material symbol."""

    text: str
    url: str
    icon: str = ""


Source = Callable[[Order, Actor], Iterable[Link]]
_sources: list[Source] = []


def offer(source: Source) -> Source:
    """Have the page show what the function returns for an order and who looks at it."""
    _sources.append(source)
    return source


def links(order: Order, actor: Actor) -> list[Link]:
    """Return all that is offered, in the order in which it was registered."""
    return [link for source in _sources for link in source(order, actor)]
