"""The protocol's decision, driven through crashes; and a checker that sees a wrong one."""

from collections import Counter

import pytest

from tests.stock.simulation import Rules, World

SEEDS = range(50)


def violations(rules: Rules) -> Counter[str]:
    total: Counter[str] = Counter()
    for seed in SEEDS:
        total += World(seed, rules).run().violations
    return total


@pytest.mark.parametrize(
    "rules",
    [Rules(), Rules(faults=0, kills=0), Rules(faults=0.6, kills=20), Rules(sole_writer=True)],
    ids=["design", "fair weather", "storm", "sole writer"],
)
def test_next_step_through_faults_and_kills_keeps_every_invariant(rules: Rules) -> None:
    assert violations(rules) == Counter()


def test_next_step_with_outside_edits_keeps_each_movement_single() -> None:
    """An outside writer can collide inside the upstream; our own movements stay exact."""
    found = violations(Rules(outside_edits=4))
    assert {name for name in found if name[:2] not in ("I3",)} == set()


@pytest.mark.parametrize(
    ("ablation", "invariants"),
    [
        pytest.param(Rules(settle=0), {"I1", "I2"}, id="no settle wait"),
        pytest.param(Rules(mutex=""), {"I3"}, id="no product mutex"),
        pytest.param(Rules(mutex="sent", sole_writer=True), {"I2"}, id="mutex from sent only"),
        pytest.param(Rules(write_ahead=False), {"I1"}, id="no write-ahead"),
        pytest.param(Rules(server_errors_unknown=False), {"I1"}, id="5xx retried"),
        pytest.param(Rules(compensation=False), {"I2", "I5"}, id="no compensation"),
        pytest.param(Rules(send_guard=False), {"I1", "I2"}, id="no send guard"),
    ],
)
def test_next_step_with_a_rule_taken_away_breaks_an_invariant(
    ablation: Rules, invariants: set[str]
) -> None:
    found: set[str] = set()
    for seed in range(150):  # the first that shows it is enough
        found |= {name[:2] for name in World(seed, ablation).run().violations}
        if found & invariants:
            return
    pytest.fail(f"only {found or 'nothing'} is broken")
