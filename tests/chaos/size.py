"""How large a run is."""

from dataclasses import dataclass, replace

from tests.chaos.havoc import Plan
from tests.chaos.pace import BRISK, NORMAL, Pace
from tests.chaos.points import STEPS
from tests.chaos.rules import Rule


@dataclass(frozen=True, slots=True)
class Size:
    """Counts, and seconds: ``trials`` for the product of steps and faults, ``load`` for orders.

    Customers who are late on a slow machine get ``patience`` more; ``quiet`` is for what is open.
    """

    orders: int
    bulk: int
    products: int
    scarce: int
    pieces: int
    workers: int
    customers: int
    fault_rate: float
    trials: float
    load: float
    patience: float
    quiet: float
    pace: Pace
    plan: Plan


def of_minutes(minutes: float) -> Size:
    """Return the run that fills so many minutes: 1,500 orders, 60 kills and 5 restarts in five."""
    share = minutes / 5
    return Size(
        orders=max(100, round(1500 * share)),
        bulk=max(60, round(1000 * share)),
        products=20,
        scarce=5,
        pieces=3,
        workers=3,
        customers=6,
        fault_rate=0.06,
        trials=minutes * 60 * 0.2,
        load=minutes * 60 * 0.5,
        patience=minutes * 60 * 0.1,
        quiet=minutes * 60 * 0.2 + 15,
        pace=NORMAL,
        plan=Plan(
            kills=max(10, round(44 * share)),
            strikes=max(4, round(16 * share)),
            pauses=max(1, round(4 * share)),
            stops=max(1, round(4 * share)),
            restarts=max(1, round(5 * share)),
            cuts=max(1, round(3 * share)),
            exhaustions=max(1, round(2 * share)),
            outages=max(1, round(4 * share)),
            steps=STEPS,
        ),
    )


SMALL = Size(
    orders=100,
    bulk=30,
    products=10,
    scarce=2,
    pieces=3,
    workers=3,
    customers=4,
    fault_rate=0.08,
    trials=0.0,
    load=18.0,
    patience=60.0,
    quiet=60.0,
    pace=BRISK,
    plan=Plan(
        kills=12,  # a step that nobody passes in time kills nobody
        strikes=5,
        pauses=1,
        stops=1,
        restarts=1,
        cuts=1,
        exhaustions=1,
        outages=1,
        steps=STEPS,
    ),
)


def without(size: Size, rule: Rule) -> Size:
    """Return the run in which the absence of a rule shows soonest; it needs no trials."""
    plan = replace(size.plan, pauses=size.plan.pauses + rule.pauses, steps=rule.steps or STEPS)
    if rule.calm:
        plan = replace(plan, kills=0, strikes=0, restarts=0)
    return replace(
        size,
        plan=plan,
        fault_rate=rule.fault_rate or size.fault_rate,
        load=size.load + size.trials,
        trials=0.0,
        products=rule.products or size.products,
        scarce=0 if rule.products else size.scarce,
        pieces=rule.pieces,
    )
