"""How far a batch has got: its confirmations counted by what came of them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Case, CharField, Count, Exists, OuterRef, Value, When
from django.utils.safestring import SafeString

from orders.admin import words
from orders.models import Confirmation, ConfirmationBatch, StockMovement
from orders.status import ConfirmationState, FailureReason, MovementState

MOST_FAILURES = 200  # that the page lists


class Stage(StrEnum):
    """What has become of one order of a batch."""

    WAITING = "waiting"  # settling, or its turn is yet to come
    CONFIRMED = "confirmed"
    SHORT = "short"
    FAILED = "failed"
    REVIEW = "review"
    CANCELLED = "cancelled"


FAILURES = (Stage.SHORT, Stage.FAILED, Stage.REVIEW, Stage.CANCELLED)
COLOURS = {
    Stage.WAITING: "info",
    Stage.CONFIRMED: "success",
    Stage.SHORT: "warning",
    Stage.FAILED: "danger",
    Stage.REVIEW: "danger",
    Stage.CANCELLED: "",
}

_IN_REVIEW = StockMovement.objects.filter(confirmation=OuterRef("pk"), state=MovementState.REVIEW)
STAGE = Case(
    When(state=ConfirmationState.CONFIRMED, then=Value(Stage.CONFIRMED)),
    When(state=ConfirmationState.CANCELLED, then=Value(Stage.CANCELLED)),
    When(
        state=ConfirmationState.REJECTED,
        failure=FailureReason.INSUFFICIENT_STOCK,
        then=Value(Stage.SHORT),
    ),
    When(state=ConfirmationState.REJECTED, then=Value(Stage.FAILED)),
    When(Exists(_IN_REVIEW), then=Value(Stage.REVIEW)),
    default=Value(Stage.WAITING),
    output_field=CharField(),
)


@dataclass(frozen=True, slots=True)
class Progress:
    """A batch's orders by stage."""

    selected: int
    counts: Counter[Stage]

    @property
    def opened(self) -> int:
        """How many it is about; the others could not be confirmed, or were being so already."""
        return self.counts.total()

    @property
    def skipped(self) -> int:
        """How many were selected for nothing."""
        return self.selected - self.opened

    @property
    def settled(self) -> int:
        """How many are through."""
        return self.opened - self.counts[Stage.WAITING] - self.counts[Stage.REVIEW]

    @property
    def finished(self) -> bool:
        """Whether nothing more happens by itself."""
        return not self.counts[Stage.WAITING]

    @property
    def failures(self) -> int:
        """How many need somebody's attention."""
        return sum(self.counts[stage] for stage in FAILURES)

    def by_stage(self) -> list[tuple[str, int]]:
        """Return the number of orders in each stage, empty ones too."""
        return [(str(stage), self.counts[stage]) for stage in Stage]

    def __str__(self) -> str:
        return f"{self.settled:,} of {self.opened:,} done"


@dataclass(frozen=True, slots=True)
class Failure:
    """An order of the batch that is not confirmed, and why."""

    number: int
    badge: SafeString
    why: str


def of(batches: Iterable[ConfirmationBatch]) -> dict[int, Progress]:
    """Return the progress of each batch, by its key, in one statement."""
    every = list(batches)
    counts: dict[int, Counter[Stage]] = {batch.pk: Counter() for batch in every}
    rows = (
        Confirmation.objects.filter(batch__in=every)
        .values_list("batch_id", STAGE)
        .annotate(Count("pk"))
        .order_by()
    )
    for batch_id, stage, number in rows:
        counts[batch_id][Stage(stage)] = number
    return {batch.pk: Progress(batch.selected, counts[batch.pk]) for batch in every}


def failures(batch: ConfirmationBatch) -> list[Failure]:
    """Return the first that are not confirmed, the oldest order first."""
    rows = (
        batch.confirmations.annotate(stage=STAGE)
        .filter(stage__in=FAILURES)
        .order_by("order_id")
        .values_list("order_id", "stage", "failure", "shortages")[:MOST_FAILURES]
    )
    return [
        Failure(
            number,
            words.badge(stage, COLOURS[Stage(stage)]),
            _why(Stage(stage), failure, shortages),
        )
        for number, stage, failure, shortages in rows
    ]


def _why(stage: Stage, failure: str, shortages: list[dict[str, object]]) -> str:
    match stage:
        case Stage.REVIEW:
            return "a person must look what became of its stock"
        case Stage.CANCELLED:
            return "the order was cancelled"
    return words.shortage(shortages) or words.FAILURES[FailureReason(failure)]
