"""One verb for many orders: what the worker makes of it, and what each entry says."""

from typing import Any

import pytest

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.actor import Actor
from orders.errors import Forbidden
from orders.models import Batch, Order, OrderEvent
from orders.status import Door, Verb
from tests.admin.desk import carry_out, work
from tests.factories import OPERATOR, actor, order, order_of, staff, stock

pytestmark = pytest.mark.usefixtures("committed_db")


def outcomes(batch: Batch) -> list[tuple[int, str, str]]:
    return list(batch.entries.order_by("order").values_list("order_id", "outcome", "code"))


def test_complete_many_completes_what_is_confirmed_and_says_why_not(sandbox: Sandbox) -> None:
    confirmed, pending = order(status="CONFIRMED"), order()
    completed = order(status="COMPLETED")

    batch = lifecycle.open_batch(
        Verb.COMPLETE,
        [completed.pk, pending.pk, confirmed.pk, confirmed.pk, 7],
        actor=actor("fulfilment", Door.ADMIN),
    )

    assert batch.selected == 4
    assert lifecycle.unfinished_batches() == [batch.pk]
    carry_out(batch)
    assert outcomes(batch) == [
        (confirmed.pk, "done", ""),
        (pending.pk, "refused", "illegal_transition"),
        (completed.pk, "done", ""),
    ]
    assert lifecycle.unfinished_batches() == []
    event = OrderEvent.objects.get(order=confirmed)
    assert (event.kind, event.actor, event.via) == ("completed", batch.actor, "admin")


def test_cancel_many_waits_until_the_stock_is_back(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    confirmed, pending, running = order_of(p10=2), order_of(p10=3), order_of(p10=4)
    lifecycle.confirm(confirmed.pk, actor=OPERATOR)
    confirming = lifecycle.confirm_many([running.pk], actor=OPERATOR)

    batch = lifecycle.open_batch(
        Verb.CANCEL,
        [confirmed.pk, pending.pk, running.pk],
        actor=OPERATOR,
        reason="duplicate",
        note="Sent twice",
    )
    carry_out(batch)
    carry_out(batch)  # as the sweeper would have it

    work()
    assert {outcome for _, outcome, _ in outcomes(batch)} == {"done"}
    assert outcomes(confirming) == [(running.pk, "refused", "illegal_transition")]
    assert set(Order.objects.values_list("status", "stock_state")) == {("CANCELLED", "clear")}
    assert stock(sandbox) == {"10": 45}
    for each in (confirmed, pending, running):
        assert [note.text for note in each.notes.all()] == ["Sent twice"]
        assert each.events.filter(data__reason="duplicate").count() == 1


def test_hold_and_release_many(sandbox: Sandbox) -> None:
    free, confirmed = order(), order(status="CONFIRMED")

    held = lifecycle.open_batch(
        Verb.HOLD, [free.pk, confirmed.pk], actor=actor("fulfilment"), reason="payment"
    )
    carry_out(held)

    assert outcomes(held) == [
        (free.pk, "done", ""),
        (confirmed.pk, "refused", "not_pending"),
    ]
    refused = lifecycle.confirm_many([free.pk], actor=OPERATOR)
    assert outcomes(refused) == [(free.pk, "refused", "on_hold")]
    released = lifecycle.open_batch(Verb.RELEASE, [free.pk], actor=actor("fulfilment"))
    carry_out(released)
    free.refresh_from_db()
    assert free.hold_reason == ""


@pytest.mark.parametrize(("verb", "word"), [(Verb.HOLD, ""), (Verb.CANCEL, "a whim")])
def test_open_batch_with_a_word_that_is_no_reason_opens_nothing(
    sandbox: Sandbox, verb: Verb, word: str
) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        lifecycle.open_batch(verb, [order().pk], actor=OPERATOR, reason=word)
    assert not Batch.objects.exists()


def test_batch_of_an_order_that_somebody_else_is_confirming_ends_with_that(
    sandbox: Sandbox,
) -> None:
    sandbox.store.set_stock({"10": 2})
    fits, short = order_of(p10=2), order_of(p10=9)
    first = lifecycle.confirm_many([fits.pk, short.pk], actor=OPERATOR)

    second = lifecycle.confirm_many([fits.pk, short.pk], actor=OPERATOR)

    assert {outcome for _, outcome, _ in outcomes(second)} == {""}
    work()
    expected = [(fits.pk, "done", ""), (short.pk, "refused", "insufficient_stock")]
    assert outcomes(first) == outcomes(second) == expected


def test_batch_of_who_lost_the_right_meanwhile_is_refused_order_by_order(sandbox: Sandbox) -> None:
    member = staff("manager")
    placed = order()
    batch = lifecycle.open_batch(Verb.CANCEL, [placed.pk], actor=Actor(via=Door.ADMIN, user=member))
    member.groups.clear()

    carry_out(batch)

    assert outcomes(batch) == [(placed.pk, "refused", "forbidden")]
    placed.refresh_from_db()
    assert placed.status == "PENDING"


def test_batch_entry_that_fails_unexpectedly_stops_none_of_the_others(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = order(status="CONFIRMED"), order(status="CONFIRMED")
    real = lifecycle.do

    def do(verb: Verb, number: int, **options: Any) -> Order:
        if number == first.pk:
            raise RuntimeError("a bug")
        return real(verb, number, **options)

    monkeypatch.setattr("orders.lifecycle.batching.do", do)
    batch = lifecycle.open_batch(Verb.COMPLETE, [first.pk, second.pk], actor=OPERATOR)

    carry_out(batch)

    assert outcomes(batch) == [(first.pk, "refused", "order_error"), (second.pk, "done", "")]


@pytest.mark.parametrize(
    ("verb", "roles"),
    [
        (Verb.CONFIRM, {"fulfilment", "manager"}),
        (Verb.COMPLETE, {"fulfilment", "manager"}),
        (Verb.CANCEL, {"manager"}),
        (Verb.HOLD, {"fulfilment", "manager"}),
        (Verb.RELEASE, {"fulfilment", "manager"}),
    ],
)
def test_open_batch_is_for_who_may_do_the_verb(
    sandbox: Sandbox, verb: Verb, roles: set[str]
) -> None:
    for role in ("viewer", "fulfilment", "manager", "auditor"):
        if role in roles:
            lifecycle.open_batch(verb, [order().pk], actor=actor(role), reason="other")
        else:
            with pytest.raises(Forbidden):
                lifecycle.open_batch(verb, [order().pk], actor=actor(role), reason="other")
