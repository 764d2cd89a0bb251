"""Doing a verb by its name, for doors that let people choose one."""

from orders.actor import Actor
from orders.lifecycle.cancelling import cancel
from orders.lifecycle.completing import complete
from orders.lifecycle.confirming import HOLD, confirm
from orders.lifecycle.holding import hold, release
from orders.models import Order
from orders.status import CancelReason, HoldReason, Verb


def do(
    verb: Verb,
    number: int,
    *,
    actor: Actor,
    reason: str = "",
    note: str = "",
    expected_version: int | None = None,
    stay: float = HOLD,
) -> Order:
    """Do the verb to an order, and return or raise what the verb does.

    ``reason`` is a word of `CancelReason`, which may be empty, or of `HoldReason`; it and ``note``
    are for the verbs that take them. ``stay`` is for how many seconds to stay with stock that must
    be waited for. Raises `ValueError` for a word that is no such reason.
    """
    match verb:
        case Verb.CONFIRM:
            return confirm(number, actor=actor, expected_version=expected_version, hold=stay)
        case Verb.COMPLETE:
            return complete(number, actor=actor, expected_version=expected_version)
        case Verb.CANCEL:
            return cancel(
                number,
                actor=actor,
                reason=CancelReason(reason) if reason else None,
                note=note,
                expected_version=expected_version,
                hold=stay,
            )
        case Verb.HOLD:
            return hold(
                number,
                actor=actor,
                reason=HoldReason(reason),
                note=note,
                expected_version=expected_version,
            )
        case Verb.RELEASE:
            return release(number, actor=actor, note=note, expected_version=expected_version)
