"""What has become of the orders of a batch."""

from enum import StrEnum

from django.db.models import Case, CharField, Value, When

from orders.status import EntryOutcome, StockState


class Stage(StrEnum):
    """What has become of one order of a batch."""

    WAITING = "waiting"  # settling, or its turn is yet to come
    DONE = "done"
    REFUSED = "refused"
    REVIEW = "review"  # waits for a person


# Of a batch's entry, to annotate a query with.
STAGE = Case(
    When(outcome=EntryOutcome.DONE, then=Value(Stage.DONE)),
    When(outcome=EntryOutcome.REFUSED, then=Value(Stage.REFUSED)),
    When(order__stock_state=StockState.REVIEW, then=Value(Stage.REVIEW)),
    default=Value(Stage.WAITING),
    output_field=CharField(),
)
