"""An order before it is one."""

from collections.abc import Sequence
from dataclasses import dataclass

from orders.lifecycle.lines import Item
from orders.models import User


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """What a customer asks for, validated in shape; strings are trimmed and not empty.

    ``guest_address`` is where a guest's request came from. It is kept as a keyed hash alone.
    """

    full_name: str
    email: str
    address: str
    city: str
    zip_code: str
    items: Sequence[Item]
    customer_reference: str = ""
    owner: User | None = None
    guest_address: str = ""
