"""How fast a run lives: the protocol's times shortened, in the same proportions.

Assumption 1 of the protocol must stay true: no call is applied later than ``settle`` after its
deadline, and no process pauses longer than that between guard and write. So ``late`` (the sandbox's
latest effect) plus ``stop`` (the longest SIGSTOP) stay below guard + timeout + settle.
"""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

VARIABLE = "CHAOS_CHILD"


@dataclass(frozen=True, slots=True)
class Pace:
    """The times of one run, in seconds."""

    guard: float = 0.5
    timeout: float = 1.5
    margin: float = 1.0
    settle: float = 6.0
    late: float = 2.5
    stop: float = 4.5
    hold: float = 1.0
    stay: float = 0.5
    turn: float = 1.0
    breaker: float = 1.0

    def __post_init__(self) -> None:
        """Refuse times with which a violation would prove nothing."""
        if self.late + self.stop >= self.unknown or self.stop <= self.lease:
            raise ValueError("these times break the protocol's assumptions")

    @property
    def lease(self) -> float:
        """For how long a call belongs to its holder."""
        return self.guard + self.timeout + self.margin

    @property
    def unknown(self) -> float:
        """For how long an unknown outcome waits after it was sent."""
        return self.guard + self.timeout + self.settle

    @property
    def nap(self) -> float:
        """How long a holder oversleeps so that its movement is settled and sent by another."""
        return self.lease + self.unknown + 4.0


NORMAL = Pace()
BRISK = Pace(guard=0.4, timeout=0.8, margin=0.4, settle=3.2, late=1.6, stop=2.0, stay=0.3, turn=0.6)
INSTANT = Pace(
    guard=0.3,
    timeout=0.4,
    margin=0.3,
    settle=1.9,
    late=0.7,
    stop=1.1,
    hold=0.6,
    stay=0.2,
    turn=0.4,
    breaker=0.3,
)


@dataclass(frozen=True, slots=True)
class Orders:
    """What a child process is told: its pace, where crashes are ordered and noted, what to leave.

    ``ablation`` names the rule of the protocol that the run does without.
    """

    armed: str
    journal: str
    pace: Pace = field(default_factory=Pace)
    ablation: str = ""

    def environment(self) -> dict[str, str]:
        """Return the variables that a child process needs for this."""
        return {
            VARIABLE: json.dumps(asdict(self)),
            "INVENTORY_TIMEOUT_SECONDS": str(self.pace.timeout),
            "INVENTORY_CHECK_TIMEOUT_SECONDS": str(max(1.0, self.pace.timeout)),
            "INVENTORY_SETTLE_SECONDS": str(self.pace.settle),
        }

    @classmethod
    def received(cls) -> "Orders":
        """Return what this process was told by its environment."""
        told = json.loads(os.environ[VARIABLE])
        return cls(**{**told, "pace": Pace(**told["pace"])})

    def arm(self, step: str, pause: float = 0.0) -> None:
        """Have the next process that reaches the step kill itself there, or oversleep there."""
        order = Path(self.armed) / step
        unfinished = order.with_suffix(".writing")
        unfinished.write_text(str(pause))
        unfinished.rename(order)

    def disarm(self) -> list[str]:
        """Take back what no process has reached, and return the steps."""
        left = []
        for order in Path(self.armed).iterdir():
            with suppress(FileNotFoundError):  # taken this instant
                order.unlink()
                left.append(order.name)
        return left

    def journal_entries(self) -> list[dict[str, Any]]:
        """Return what the children noted of their own deaths and naps, oldest first."""
        path = Path(self.journal)
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]
