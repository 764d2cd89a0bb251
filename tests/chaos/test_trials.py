"""Each kill step with each fault: one order each, real PostgreSQL, processes that really die."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from inventory_client.sandbox.faults import FAULTS
from inventory_client.sandbox.server import Sandbox
from tests.chaos import trials
from tests.chaos.forks import Zygote
from tests.chaos.judge import Judgement, Truth, judge
from tests.chaos.pace import INSTANT, Orders
from tests.chaos.points import BACKWARD, FORWARD
from tests.chaos.trials import Trial, Trials
from tests.chaos.upstream import Upstream
from tests.processes import database_url

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.xdist_group("chaos"),
    pytest.mark.usefixtures("committed_db"),
]

# Trials, and how many side by side. With more of them a process waits for the machine for longer
# than a call belongs to it at this pace, and another goes on in its place: nobody is killed.
SOME, AT_ONCE = 100, 8

NOTHING: dict[str, list[str]] = {f"I{n}": [] for n in range(1, 10)}


@dataclass(frozen=True)
class Tried:
    """What became of the orders of some trials."""

    trials: Trials
    judgement: Judgement
    reviews: int
    faults: dict[str, Any]


def attempt(
    sandbox: Sandbox, folder: Path, planned: Sequence[Trial], *, within: float, ablation: str = ""
) -> Tried:
    """Begin the trials that there is time for, in seconds; let all of them settle, and judge it."""
    (folder / "armed").mkdir()
    orders = Orders(str(folder / "armed"), str(folder / "journal"), INSTANT, ablation)
    sandbox.switches.update({"race_window_ms": 3})
    sandbox.faults.configure({"late_seconds": INSTANT.late, "latency_max": INSTANT.late})
    environment = {
        "DATABASE_URL": database_url(),
        "INVENTORY_SERVICE_URL": sandbox.url,
        **orders.environment(),
    }
    upstream = Upstream(sandbox.root_url)
    with (
        Zygote(environment) as zygote,
        trials.reviewing(zygote, upstream, database_url()) as reviews,
        trials.settling(zygote, folder),
    ):
        deadline = time.monotonic() + within
        done = trials.run(
            planned, zygote=zygote, upstream=upstream, deadline=deadline, at_once=AT_ONCE
        )
        trials.wait_until_quiet(database_url(), upstream, within=60)
    found = judge(database_url(), Truth(upstream.effects(), done.initial, upstream.stock()))
    return Tried(done, found, len(reviews), upstream.state()["faults"]["served"])


def test_kill_at_each_step_with_each_fault_keeps_every_invariant(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    planned = trials.product_of((*FORWARD, "in_read_back"), BACKWARD, seed=7)

    tried = attempt(sandbox, tmp_path, planned[:SOME], within=120)

    assert tried.judgement.violations == NOTHING
    assert tried.judgement.unresolved == 0
    assert tried.trials.killed >= 0.9 * tried.trials.begun >= 90, "the kills must be real"
    assert set(tried.faults) == set(FAULTS), "and the faults"
    assert tried.reviews > 0


@pytest.mark.parametrize(
    ("ablation", "trial", "broken"),
    [
        ("no-write-ahead", Trial("after_send", "", backward=False), {"I1", "I3", "I4"}),
        ("retry-5xx", Trial("before_closing", "500_after", backward=False), {"I1", "I3", "I4"}),
        ("no-settle", Trial("before_closing", "late_dead", backward=False), {"I1", "I3", "I4"}),
        ("no-compensation", Trial("before_closing", "", backward=True), {"I2", "I3", "I5"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_kill_without_a_rule_of_the_protocol_breaks_invariants(
    sandbox: Sandbox, tmp_path: Path, ablation: str, trial: Trial, broken: set[str]
) -> None:
    tried = attempt(sandbox, tmp_path, [trial], within=25, ablation=ablation)

    assert {name for name, found in tried.judgement.violations.items() if found} == broken
