"""What customers and staff were told, held against the database and the inventory's own log."""

import sys
import time
from collections import Counter

import psycopg

from tests.chaos.judge import Truth, judge
from tests.chaos.trials import wait_until_quiet
from tests.uptime.load import Load
from tests.uptime.site import Site

PRODUCTS = [f"product-{number}" for number in range(200)]
PLENTY = 1_000_000
UNSETTLED = 2  # reconcile_stock's exit code while something is on its way
ALWAYS = ("I1", "I4", "I5", "I8", "I9")  # what must hold then, too


def say(words: str) -> None:
    """Write a line of the report at once."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def verdict(site: Site, load: Load, *, within: float) -> list[str]:
    """Return what does not agree, once all is settled, which may take so many seconds.

    With 0 nobody waits: what is still on its way is no fault then.
    """
    found = _settled(site, within) if within else []
    found += _orders(site, load, finally_=within > 0)
    truth = Truth(
        site.upstream.effects(),
        dict.fromkeys(PRODUCTS, PLENTY),
        site.upstream.stock(),
        [(order.key, order.public_id) for order in load.placed],
    )
    for invariant, violations in judge(site.database_url, truth).violations.items():
        if within or invariant in ALWAYS:
            found += violations
    return found


def reconciled(site: Site, *, settled: bool = True) -> list[str]:
    """Return what `reconcile_stock` finds; what is on its way is a fault once all is settled."""
    done = site.manage("reconcile_stock")
    say(f"reconcile_stock: exit {done.returncode}")
    fine = done.returncode == 0 or (done.returncode == UNSETTLED and not settled)
    return [] if fine else [done.stdout[-1000:] + done.stderr[-1000:]]


def _settled(site: Site, within: float) -> list[str]:
    begun = time.monotonic()
    if not wait_until_quiet(site.database_url, site.upstream, within=within):
        return [f"not settled within {within:.0f} s"]
    say(f"all was settled {time.monotonic() - begun:.1f} s later")
    return []


def _orders(site: Site, load: Load, *, finally_: bool) -> list[str]:
    """Compare the orders: each that was acknowledged is there, once, and no other."""
    with psycopg.connect(site.database_url) as connection:
        there: dict[str, str] = dict(
            connection.execute(
                "SELECT public_id::text, status || ' ' || stock_state FROM orders_order"
            ).fetchall()
        )
    known = {order.public_id for order in load.placed}
    states = Counter(there.get(order.public_id, "lost") for order in load.asked)
    say(f"orders: {len(known)} acknowledged, {len(there)} in the database")
    say(f"confirmations: {states.total()} accepted, now {dict(states)}")
    fine = {"CONFIRMED clear"} if finally_ else {"CONFIRMED clear", "PENDING settling"}
    found = [f"accepted to be confirmed, and then {state}" for state in states.keys() - fine]
    if lost := known - there.keys():
        found.append(f"{len(lost)} orders lost")
    if unheard_of := there.keys() - known:
        found.append(f"{len(unheard_of)} orders that nobody was told of")
    return found
