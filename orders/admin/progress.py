"""How far a batch has got: its orders counted by what came of them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count
from django.utils.safestring import SafeString

from orders.admin import words
from orders.models import Batch, BatchEntry
from orders.queries import STAGE, Stage
from orders.status import Verb

MOST_FAILURES = 200  # that the page lists


COLOURS = {Stage.REFUSED: "warning", Stage.REVIEW: "danger"}


@dataclass(frozen=True, slots=True)
class Progress:
    """A batch's orders by stage, and the refused ones by the code of the refusal."""

    batch: Batch
    counts: Counter[Stage]
    refusals: Counter[str]

    @property
    def total(self) -> int:
        """How many orders it is about; numbers that were no order's are none of them."""
        return self.counts.total()

    @property
    def unknown(self) -> int:
        """How many numbers were asked for that are no order's."""
        return self.batch.selected - self.total

    @property
    def ended(self) -> int:
        """How many are through."""
        return self.counts[Stage.DONE] + self.counts[Stage.REFUSED]

    @property
    def finished(self) -> bool:
        """Whether nothing more happens by itself."""
        return not self.counts[Stage.WAITING]

    @property
    def failures(self) -> int:
        """How many need somebody's attention."""
        return self.counts[Stage.REFUSED] + self.counts[Stage.REVIEW]

    @property
    def refused(self) -> int:
        """How many can be asked for once more."""
        return self.counts[Stage.REFUSED]

    def by_stage(self) -> list[tuple[str, int]]:
        """Return the number of orders in each stage, empty ones too; done by the verb's name."""
        done = words.DONE[Verb(self.batch.verb)]
        return [
            (done if stage is Stage.DONE else str(stage), self.counts[stage]) for stage in Stage
        ]

    def by_reason(self) -> list[tuple[str, int]]:
        """Return why orders were refused and how many for that, the commonest first."""
        return [(words.refusal(code), number) for code, number in self.refusals.most_common()]

    def __str__(self) -> str:
        return f"{self.ended:,} of {self.total:,} done"


@dataclass(frozen=True, slots=True)
class Failure:
    """An order of the batch that was refused or waits for a person, and why."""

    number: int
    badge: SafeString
    why: str


def of(batches: Iterable[Batch]) -> dict[int, Progress]:
    """Return the progress of each batch, by its key, in one statement."""
    found = {batch.pk: Progress(batch, Counter(), Counter()) for batch in batches}
    rows = (
        BatchEntry.objects.filter(batch__in=found)
        .annotate(stage=STAGE)
        .values_list("batch_id", "stage", "code")
        .annotate(Count("pk"))
        .order_by()
    )
    for batch_id, stage, code, number in rows:
        found[batch_id].counts[Stage(stage)] += number
        if stage == Stage.REFUSED:
            found[batch_id].refusals[code] += number
    return found


def failures(batch: Batch) -> list[Failure]:
    """Return the first that failed, the oldest order first."""
    rows = (
        batch.entries.annotate(stage=STAGE)
        .filter(stage__in=(Stage.REFUSED, Stage.REVIEW))
        .order_by("order_id")
        .values_list("order_id", "stage", "code", "why")[:MOST_FAILURES]
    )
    return [_failure(*row) for row in rows]


def _failure(number: int, stage: str, code: str, why: str) -> Failure:
    if stage == Stage.REVIEW:
        why = "a person must look what became of its stock"
        return Failure(number, words.badge(stage, COLOURS[Stage.REVIEW]), why)
    badge = words.badge(words.refusal(code), COLOURS[Stage.REFUSED])
    return Failure(number, badge, why)
