"""The whole stack, small: deployed processes, people, kills and a restart of PostgreSQL."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("chaos")]


def test_run_with_kills_faults_and_a_restart_keeps_every_invariant(tmp_path: Path) -> None:
    report = tmp_path / "report.json"

    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--small", "--seed", "7", "--json", str(report)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(report.read_text())
    assert found["violations"] == {f"I{n}": [] for n in range(1, 10)}
    assert (found["unresolved"], set(found["drift"].values())) == (0, {0})
    assert found["orders"]["acknowledged"] >= 60, "the load must be real"
    assert found["orders"]["CONFIRMED"] >= 30
    assert sum(found["kills"].values()) >= 10, "and the kills"
    assert sum(found["faults"].values()) >= 20, "and the faults"
    assert found["outside"]["restart"] == 1
