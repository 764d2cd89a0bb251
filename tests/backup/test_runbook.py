"""What docs/backups.md has people type after a restore."""

import re
from uuid import uuid4

import pytest

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.admin import progress
from orders.models import StockMovement
from orders.status import OrderStatus, Verb
from tests.api.calls import key_of, with_key
from tests.commands.running import run
from tests.factories import OPERATOR, order_of, staff
from tests.processes import ROOT


def type_in(blank: str, filled: str = "") -> None:
    """Execute the one line of the runbook's that has these words, with others in their place."""
    runbook = (ROOT / "docs" / "backups.md").read_text()
    lines = re.findall(r'manage\.py shell -v0 -c "(.*)"', runbook)
    (code,) = [line for line in lines if blank in line]
    run("shell", "-v0", "-c", code.replace(blank, filled or blank))


def test_runbook_shuts_out_who_comes_back_with_a_restore(
    db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """By hand, since the admin is not served by then."""
    revoked, left = (staff("viewer", username=name) for name in ("till", "kim"))
    callers = [with_key(key_of(who)) for who in (revoked, left)]
    names = {"PREFIX": revoked.api_keys.get().prefix, "NAME": left.username}
    assert [caller.get("/api/orders").status_code for caller in callers] == [200, 200]
    for what, name in names.items():
        type_in(f"'{what}'", f"'{name}'")
    assert capsys.readouterr().out.split() == ["1", "1"]
    assert [caller.get("/api/orders").status_code for caller in callers] == [401, 401]


def test_runbook_ends_batches_before_the_worker_carries_them_out(
    committed_db: None, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """But a confirmation is under way as soon as its batch is opened."""
    confirmed, pending = order_of(p10=1), order_of(p10=1)
    sandbox.store.set_stock({"10": 5})
    lifecycle.confirm(confirmed.pk, actor=OPERATOR)
    ended, goes_on = (
        lifecycle.open_batch(Verb.CANCEL, [order.pk], actor=OPERATOR)
        for order in (confirmed, order_of(p10=1))
    )
    confirming = lifecycle.confirm_many([pending.pk], actor=OPERATOR)
    type_in("Count(")
    waiting = capsys.readouterr().out
    assert sorted(re.findall(r"\((\d+), 'cancel', 1\)", waiting)) == sorted(
        str(batch.pk) for batch in (ended, goes_on)
    )
    assert str(confirming.pk) not in re.findall(r"\((\d+),", waiting)

    type_in("BATCH", f"{ended.pk}, {confirming.pk}")

    assert capsys.readouterr().out.split() == ["1"]
    assert lifecycle.unfinished_batches() == [goes_on.pk]
    assert lifecycle.carry_out_next(ended.pk, after=0) is None
    confirmed.refresh_from_db()
    assert confirmed.status == OrderStatus.CONFIRMED
    assert progress.of([ended])[ended.pk].by_reason() == [("ended by hand", 1)]
    assert lifecycle.retry(ended.pk, actor=OPERATOR).entries.get().order_id == confirmed.pk


def test_runbook_tells_what_the_ledger_has(
    committed_db: None, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it has as applied is not done again, though the inventory's log shows it."""
    sandbox.store.set_stock({"10": 5})
    known, planned = order_of(p10=1), order_of(p10=1)
    lifecycle.confirm(known.pk, actor=OPERATOR)
    lifecycle.confirm(planned.pk, actor=OPERATOR, hold=0)
    applied, yet_to_come = (
        StockMovement.objects.get(confirmation__order=each).pk for each in (known, planned)
    )
    type_in("'ID', 'ID'", f"'{applied}', '{yet_to_come}', '{uuid4()}'")
    assert capsys.readouterr().out.split() == [str(applied)]
