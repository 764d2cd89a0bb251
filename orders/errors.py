"""What can go wrong with an order: one root, stable codes, data as attributes."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from orders.status import HoldReason, OrderStatus


@dataclass(frozen=True, slots=True)
class Shortage:
    """A product of which more was asked than there is; quantities in pieces."""

    product_id: str
    requested: int
    available: int

    def __str__(self) -> str:
        return f"{self.requested} × {self.product_id} short, {self.available} in stock"


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A product whose price is not the one that was sent; ``current`` is None where it has none."""

    product_id: str
    sent: Decimal
    current: Decimal | None

    def __str__(self) -> str:
        if self.current is None:
            return f"{self.product_id} is not in the catalogue"
        return f"{self.product_id} costs {self.current} and not {self.sent}"


class OrderError(Exception):
    """The root of all that the domain raises; ``code`` is stable and for machines."""

    code = "order_error"


class OrderNotFound(OrderError):
    """No such order, or none that this actor may know of."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__("There is no such order")


class Forbidden(OrderError):
    """The actor can see the order, but may not do this to it."""

    code = "forbidden"

    def __init__(self, verb: str) -> None:
        super().__init__(f"You may not {verb} orders")
        self.verb = verb


class IllegalTransition(OrderError):
    """The order's state does not allow the move."""

    code = "illegal_transition"

    def __init__(self, current: OrderStatus, wanted: OrderStatus, why: str = "") -> None:
        super().__init__(f"An order that is {current} can't become {wanted}{why and f': {why}'}")
        self.current = current
        self.wanted = wanted


class NotPending(OrderError):
    """What was asked for is for PENDING orders only."""

    code = "not_pending"

    def __init__(self, current: OrderStatus) -> None:
        super().__init__(f"Only a PENDING order allows that, and this one is {current}")
        self.current = current


class OnHold(OrderError):
    """Somebody keeps the order from being confirmed until it is released."""

    code = "on_hold"

    def __init__(self, reason: HoldReason) -> None:
        super().__init__(f"The order is on hold ({reason}) until somebody releases it")
        self.reason = reason


class NotFinished(OrderError):
    """Orders are open, or their stock is on its way; ``numbers`` names them."""

    code = "not_finished"

    def __init__(self, numbers: Sequence[int]) -> None:
        named = ", ".join(f"#{number}" for number in numbers)
        super().__init__(f"Not finished, or with stock on its way: {named}")
        self.numbers = tuple(numbers)


class BeingConfirmed(OrderError):
    """The order's stock is being taken, and it must stay as it is until that has ended."""

    code = "being_confirmed"

    def __init__(self) -> None:
        super().__init__("The order is being confirmed; wait until that has ended, or cancel it")


class StaleVersion(OrderError):
    """Somebody changed the order since the caller looked at it."""

    code = "stale_version"

    def __init__(self, current: int) -> None:
        super().__init__("The order has changed since you read it")
        self.current = current


class InsufficientStock(OrderError):
    """There is less in stock than the order needs; ``shortages`` names every short product."""

    code = "insufficient_stock"

    def __init__(self, shortages: Sequence[Shortage]) -> None:
        super().__init__("; ".join(str(shortage) for shortage in shortages))
        self.shortages = tuple(shortages)


class PriceChanged(OrderError):
    """The catalogue says other prices than were sent; ``changes`` names every one of them."""

    code = "price_changed"

    def __init__(self, changes: Sequence[PriceChange]) -> None:
        super().__init__("; ".join(str(change) for change in changes))
        self.changes = tuple(changes)


class CatalogueUnavailable(OrderError):
    """The catalogue can't be asked; nothing was changed. ``retry_after`` in seconds."""

    code = "catalogue_unavailable"

    def __init__(self, retry_after: int = 5) -> None:
        super().__init__("The catalogue can't be asked right now; nothing was changed")
        self.retry_after = retry_after


class InventoryUnavailable(OrderError):
    """The inventory service can't be asked; nothing was changed. ``retry_after`` in seconds."""

    code = "inventory_unavailable"

    def __init__(self, retry_after: int = 5) -> None:
        super().__init__("The inventory service can't be asked right now; nothing was changed")
        self.retry_after = retry_after


class InventoryRefused(OrderError):
    """The inventory service refused to move the stock; what had been taken was given back."""

    code = "inventory_refused"

    def __init__(self, detail: str = "") -> None:
        super().__init__(
            "The inventory service refused the change; nothing was kept"
            + (f" ({detail})" if detail else "")
        )


class TooManyOpenOrders(OrderError):
    """A guest's address has as many PENDING orders as it may. ``retry_after`` in seconds."""

    code = "too_many_open_orders"

    def __init__(self, limit: int, retry_after: int = 600) -> None:
        super().__init__(f"There are {limit} open guest orders from your address, the most at once")
        self.retry_after = retry_after


class NotInReview(OrderError):
    """No movement of that id waits for a person's decision, or it does no more."""

    code = "not_in_review"


class NotAccepted(OrderError):
    """The inventory's stock of a product was not accepted as right; ``str()`` says why."""

    code = "not_accepted"
