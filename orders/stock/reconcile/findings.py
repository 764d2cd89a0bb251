"""What a reconciliation says: findings, each with what to do next."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What a finding means."""

    VIOLATION = "violation"  # must not be: a bug, or a hand in the tables
    UNSETTLED = "unsettled"  # on its way, or not to be known now
    REVIEW = "review"  # waits for a person
    UNREAD = "unread"  # could not be looked at, after a restore, when all must be
    NOTE = "note"  # worth knowing, and no fault of the ledger's


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be in the end; quantities in pieces."""

    invariant: str
    severity: Severity
    order: int | None
    product_id: str | None
    what: str
    next_step: str
