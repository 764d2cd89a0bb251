"""The rules that a run can do without, and what the judge must then find."""

from dataclasses import dataclass

_INDEX = "one_in_flight_per_product"
_LATE_MUTEX = f"""
DROP INDEX {_INDEX};
CREATE UNIQUE INDEX {_INDEX} ON orders_stockmovement (product_id)
 WHERE exclusive AND state IN ('sent', 'unknown')
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, and the condition under which its absence can be seen soon.

    ``sql`` changes the schema of the run's own database. ``faults`` replaces the usual mixture, and
    ``fault_rate`` the usual rate, for adjusts alone. ``pauses`` are ordered on top of the usual
    ones, ``steps`` are those at which processes die, and ``calm`` that none does: a sleeper must
    live to send. ``products`` is how many there are, all plenty, and ``pieces`` the most that a
    line takes: with 1, all changes of stock look alike.
    ``without_ledger`` says that there are no movements to judge, only what each order got.
    """

    without: str
    sql: str = ""
    faults: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    calm: bool = False
    pauses: int = 0
    pieces: int = 3
    products: int = 0
    fault_rate: float = 0.0
    without_ledger: bool = False


RULES = {
    "no-settle": Rule("the settle wait", faults=("late_apply", "late_dead", "latency")),
    "no-mutex": Rule("the product mutex", products=4),
    "mutex-from-sent": Rule(
        "the mutex before the snapshot, for a sole writer",
        sql=_LATE_MUTEX,
        faults=("500_before", "reset_before", "503_before"),
        fault_rate=0.2,
        products=8,
        pieces=1,
    ),
    "no-write-ahead": Rule("the write-ahead", steps=("after_send", "after_response")),
    "retry-5xx": Rule("doubt about a 5xx", faults=("500_after", "500_before")),
    "no-compensation": Rule("compensation"),
    "no-send-guard": Rule("the send guard", pauses=12, calm=True),
    "old-service": Rule("any of it: the old service's algorithm", without_ledger=True),
}
