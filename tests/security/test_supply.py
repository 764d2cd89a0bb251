"""What we depend on: pinned, and audited by something that can't pass unasked."""

import re
from pathlib import Path

import pytest

from orderservice.dev import audit
from tests.processes import ROOT

WELL = '{"dependencies": [%s]}'
ANSWER = """#!/bin/sh
case "$*" in
  *requirements.txt*) echo '%s' ;;
  *) echo '%s' ;;
esac
"""


def says(tools: Path, of_ours: str, of_the_control: str, of_workflows: int = 0) -> int:
    """Audit with tools that give these answers; return the exit code."""
    scripts = {
        "pip-audit": ANSWER % (of_ours, of_the_control),
        "zizmor": f"#!/bin/sh\nexit {of_workflows}\n",
    }
    for name, script in scripts.items():
        (tools / name).write_text(script)
        (tools / name).chmod(0o755)
    return audit.main(tools)


def packages(*changed: tuple[str, str]) -> str:
    """Return an answer that finds nothing in any of our packages, but for what is given."""
    names = re.findall(r"^([\w.-]+)==", audit.LOCK.read_text(), re.MULTILINE)
    rows = {name: f'{{"name": "{name}", "vulns": []}}' for name in names} | dict(changed)
    return WELL % ", ".join(rows.values())


CONTROL = WELL % '{"name": "django", "vulns": [{"id": "PYSEC-1"}]}'
SKIPPED = '{"name": "django", "skip_reason": "the service is gone"}'


@pytest.mark.parametrize("lock", ["requirements", "requirements-dev", "requirements-audit"])
def test_supply_of_every_package_is_pinned_with_hashes(lock: str) -> None:
    text = (ROOT / f"{lock}.txt").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(lines) > 10
    assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []


def test_supply_audit_fails_when_nobody_can_be_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silent = [
        (packages(), WELL % '{"name": "django", "vulns": []}'),  # it has found nothing in anything
        (packages(), WELL % SKIPPED),
        (packages(), ""),
        ("", CONTROL),
    ]
    for of_ours, of_the_control in silent:
        assert says(tmp_path, of_ours, of_the_control) == 2
        assert capsys.readouterr().err.strip().endswith(audit.NOBODY)
    assert says(tmp_path, packages(("django", SKIPPED)), CONTROL) == 2
    assert "nothing is known of django" in capsys.readouterr().err


def test_supply_audit_names_what_is_vulnerable_and_passes_what_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = ("requests", '{"name": "requests", "vulns": [{"id": "PYSEC-2"}]}')
    assert says(tmp_path, packages(bad), CONTROL) == 1
    assert capsys.readouterr().err == "audit: requests has PYSEC-2\n"
    assert says(tmp_path, packages(), CONTROL) == 0
    assert "no known vulnerability" in capsys.readouterr().err
    assert says(tmp_path, packages(), CONTROL, of_workflows=14) == 1
    assert "zizmor finds fault" in capsys.readouterr().err
