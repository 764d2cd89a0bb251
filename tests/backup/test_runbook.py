"""What docs/backups.md has people type after a restore."""

import re

import pytest

from tests.api.calls import key_of, with_key
from tests.commands.running import run
from tests.factories import staff
from tests.processes import ROOT


def test_runbook_shuts_out_who_comes_back_with_a_restore(
    db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """By hand, since the admin is not served by then."""
    revoked, left = (staff("viewer", username=name) for name in ("till", "kim"))
    callers = [with_key(key_of(who)) for who in (revoked, left)]
    runbook = (ROOT / "docs" / "backups.md").read_text()
    typed = re.findall(r'manage\.py shell -c "(.*)"', runbook)
    names = {"PREFIX": revoked.api_keys.get().prefix, "NAME": left.username}
    assert [caller.get("/api/orders").status_code for caller in callers] == [200, 200]
    for (what, name), code in zip(names.items(), typed, strict=True):
        run("shell", "-c", code.replace(what, name), "--verbosity", "0")
    assert capsys.readouterr().out.split() == ["1", "1"]
    assert [caller.get("/api/orders").status_code for caller in callers] == [401, 401]
