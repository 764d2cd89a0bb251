"""Running a management command as a shell would: what it writes, and its exit code."""

import json
from dataclasses import dataclass
from io import StringIO
from typing import Any

from django.core.management import call_command


@dataclass(frozen=True)
class Outcome:
    """What a command came to."""

    code: int
    out: str
    err: str


def run(name: str, *arguments: str, **options: Any) -> Outcome:
    """Run a command; raises what it raises, but for its exit."""
    out, err = StringIO(), StringIO()
    code = 0
    try:
        call_command(name, *arguments, stdout=out, stderr=err, **options)
    except SystemExit as exc:
        code = int(exc.code or 0)
    return Outcome(code, out.getvalue(), err.getvalue())


def drifts(*arguments: str) -> tuple[int, list[tuple[str, str | None, str]]]:
    """Return the exit code, and severity, product and text of each finding."""
    outcome = run("reconcile_stock", "--json", *arguments)
    found: list[dict[str, Any]] = json.loads(outcome.out)["findings"]
    assert {each["invariant"] for each in found} <= {"I3"}
    return outcome.code, [(each["severity"], each["product_id"], each["what"]) for each in found]
