"""The words of an order's life, and which moves between them are legal."""

from enum import StrEnum


class OrderStatus(StrEnum):
    """What staff and customers call the state of an order."""

    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


OPEN = (OrderStatus.PENDING, OrderStatus.CONFIRMED)  # somebody has yet to do something

LEGAL_MOVES: dict[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.PENDING: frozenset({OrderStatus.CONFIRMED, OrderStatus.CANCELLED}),
    OrderStatus.CONFIRMED: frozenset({OrderStatus.COMPLETED, OrderStatus.CANCELLED}),
    OrderStatus.COMPLETED: frozenset(),
    OrderStatus.CANCELLED: frozenset(),
}


class StockState(StrEnum):
    """How an order stands with the stock that it needs."""

    CLEAR = "clear"  # nothing is on its way
    SETTLING = "settling"  # a confirmation or a cancellation is moving stock
    REVIEW = "review"  # an outcome is unknown, and a person must look
    SHORT = "short"  # the last confirmation failed for want of stock


class PriceSource(StrEnum):
    """Whose word an order's prices are."""

    SENT = "sent"  # the caller's, and nobody has compared them
    CATALOGUE = "catalogue"  # they were the catalogue's when the order was placed
    STAFF = "staff"  # somebody has since given a line another


UNSETTLED_STOCK = (StockState.SETTLING, StockState.REVIEW)  # it moves, or may have moved


class ConfirmationState(StrEnum):
    """Where one attempt to confirm an order has got to."""

    RUNNING = "running"  # deducting
    REVERSING = "reversing"  # giving back what it had deducted
    CONFIRMED = "confirmed"  # deducted everything; stays so while the order holds its stock
    REJECTED = "rejected"  # could not have everything; holds nothing
    CANCELLED = "cancelled"  # somebody cancelled; holds nothing


LIVE_CONFIRMATIONS = (
    ConfirmationState.RUNNING,
    ConfirmationState.REVERSING,
    ConfirmationState.CONFIRMED,
)
UNSETTLED_CONFIRMATIONS = (ConfirmationState.RUNNING, ConfirmationState.REVERSING)


class MovementState(StrEnum):
    """Where one change of one product's stock has got to."""

    PLANNED = "planned"  # written down, not begun
    CLAIMED = "claimed"  # somebody holds the product and reads its stock
    SENT = "sent"  # the call may be on its way
    APPLIED = "applied"  # the inventory service applied it
    REJECTED = "rejected"  # it provably did not, and nobody will ask again
    UNKNOWN = "unknown"  # no proof either way; settles, then is read back
    REVIEW = "review"  # no proof to be had by machine; a person decides
    VOID = "void"  # never sent, no longer wanted


# While a movement is in one of these, no other movement of its product may be (the mutex).
IN_FLIGHT = (MovementState.CLAIMED, MovementState.SENT, MovementState.UNKNOWN)


class Door(StrEnum):
    """Through which door somebody acted."""

    API = "api"
    ADMIN = "admin"
    COMMAND = "command"
    WORKER = "worker"


class EventKind(StrEnum):
    """What can happen to an order, in the past tense."""

    PLACED = "placed"
    CONFIRMATION_REQUESTED = "confirmation_requested"
    CONFIRMATION_FAILED = "confirmation_failed"
    REVIEW_NEEDED = "review_needed"
    REVIEW_RESOLVED = "review_resolved"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    CANCELLATION_REQUESTED = "cancellation_requested"
    CANCELLED = "cancelled"
    RESTOCKED = "restocked"
    HELD = "held"
    RELEASED = "released"
    AMENDED = "amended"
    ERASED = "erased"  # its customer's personal data


class HoldReason(StrEnum):
    """Why staff keep an order from being confirmed."""

    PAYMENT = "payment"
    ADDRESS = "address"
    CUSTOMER = "customer"  # asked us to wait
    FRAUD = "fraud"
    STOCK = "stock"
    OTHER = "other"


class CancelReason(StrEnum):
    """Why an order is cancelled."""

    CUSTOMER = "customer"  # changed their mind
    OUT_OF_STOCK = "out_of_stock"
    PAYMENT = "payment"
    DUPLICATE = "duplicate"
    FRAUD = "fraud"
    ADDRESS = "address"
    OTHER = "other"
    EXPIRED = "expired"  # nobody confirmed it in time; housekeeping says so, and no person


class Verb(StrEnum):
    """What staff do to an order, or to many at once."""

    CONFIRM = "confirm"
    COMPLETE = "complete"
    CANCEL = "cancel"
    HOLD = "hold"
    RELEASE = "release"


class EntryOutcome(StrEnum):
    """What has come of one order of a batch, in the end."""

    DONE = "done"
    REFUSED = "refused"


class FailureReason(StrEnum):
    """Why a confirmation came to nothing."""

    INSUFFICIENT_STOCK = "insufficient_stock"
    INVENTORY_UNAVAILABLE = "inventory_unavailable"
    INVENTORY_REFUSED = "inventory_refused"
    CANCELLED = "cancelled"


class ExportKind(StrEnum):
    """What can be taken out of the service in a file."""

    ORDERS = "orders"  # CSV, a row an order
    LINES = "lines"  # CSV, a row a line of an order
    SLIPS = "slips"  # PDF
    INVOICES = "invoices"  # PDF


class ExportOutcome(StrEnum):
    """What became of an export."""

    STARTED = "started"  # under way; or its process was killed
    COMPLETE = "complete"
    BROKEN_OFF = "broken_off"  # cancelled, the client went away, or it failed
