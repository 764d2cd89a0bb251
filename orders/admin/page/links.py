"""What the order page leads to besides its verbs."""

from dataclasses import dataclass

from django.urls import reverse

from orders.actor import Actor
from orders.models import Order


@dataclass(frozen=True, slots=True)
class Link:
    """A link in the page's actions; ``icon`` is the name of a Material symbol."""

    text: str
    url: str
    icon: str = ""


def links(order: Order, actor: Actor) -> list[Link]:
    """Return the order's papers, for those who may print them."""
    if not actor.may_print():
        return []
    papers = (("Packing slip", "slips", "local_shipping"), ("Invoice", "invoices", "receipt_long"))
    return [
        Link(text, reverse(f"admin:orders_order_{name}", args=[order.pk]), icon)
        for text, name, icon in papers
    ]
