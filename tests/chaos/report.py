"""What a run says at its end."""

import subprocess
from dataclasses import asdict, dataclass, field

from tests.chaos.forks import ROOT

_EXAMPLES = 3


@dataclass(slots=True)
class Report:
    """A run in figures; ``violations`` holds each violation's words by invariant."""

    seed: int
    command: str
    ablation: str
    commit: str = ""
    seconds: float = 0.0
    trials: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    kills: dict[str, int] = field(default_factory=dict)
    pauses: int = 0
    outside: dict[str, int] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)
    orders: dict[str, int] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    bulk: dict[str, int] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    movements: dict[str, int] = field(default_factory=dict)
    violations: dict[str, list[str]] = field(default_factory=dict)
    unresolved: int = 0
    reviews: int = 0
    recovery: dict[str, float | int | None] = field(default_factory=dict)
    drift: dict[str, int] = field(default_factory=dict)
    reconcile_exit: int | None = None
    wrong_answers: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)

    @property
    def violation_count(self) -> int:
        """The number of violations of all invariants."""
        return sum(len(each) for each in self.violations.values())

    @property
    def clean(self) -> bool:
        """Whether the run found nothing at all that is wrong."""
        return not (
            self.violation_count or self.unresolved or self.wrong_answers or self.reconcile_exit
        )

    def document(self) -> dict[str, object]:
        """Return the report as JSON's types."""
        return {**asdict(self), "violation_count": self.violation_count, "clean": self.clean}

    def text(self) -> str:
        """Return the report for people."""
        drifted = {product: by for product, by in self.drift.items() if by}
        kills = sum(self.kills.values())
        lines = [
            f"seed {self.seed}, commit {self.commit}, {self.seconds:.0f} s"
            + (f", without {self.ablation}" if self.ablation else ""),
            f"trials of one step and one fault: {self.trials}",
            f"faults: {sum(self.faults.values())} ({_counts(self.faults)})",
            f"kill -9: {kills} ({_counts(self.kills)})",
            f"overslept leases: {self.pauses}; from outside: {_counts(self.outside)}",
            f"processes started anew: {_counts(self.restarts)}",
            f"orders: {_counts(self.orders)}",
            f"answers: {_counts(self.answers)}",
            f"bulk: {_counts(self.bulk)}",
            f"inventory calls: {_counts(self.calls)}; movements: {_counts(self.movements)}",
            f"reviews decided: {self.reviews}; unresolved at the end: {self.unresolved}",
            f"recovery in seconds: {_figures(self.recovery)}",
            f"drift: {_counts(drifted) if drifted else '0 on each of'} {len(self.drift)} products",
            f"reconcile_stock: exit {self.reconcile_exit}",
            "violations: "
            + ", ".join(f"{name} {len(found)}" for name, found in self.violations.items()),
        ]
        for found in self.violations.values():
            lines += [f"  {each}" for each in found[:_EXAMPLES]]
            if len(found) > _EXAMPLES:
                lines.append(f"  and {len(found) - _EXAMPLES} more")
        lines += [f"unexpected answer: {each}" for each in self.wrong_answers[:_EXAMPLES]]
        lines += [f"not done: {each}" for each in self.trouble[:_EXAMPLES]]
        lines.append("clean" if self.clean else f"NOT CLEAN; to replay: {self.command}")
        return "\n".join(lines) + "\n"


def commit() -> str:
    """Return the commit that is being run, marked when files differ from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude", "*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"


def _figures(figures: dict[str, float | int | None]) -> str:
    return ", ".join(
        f"{name} {value:.1f}" if isinstance(value, float) else f"{name} {value}"
        for name, value in figures.items()
    )
