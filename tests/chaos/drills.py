"""``python -m tests.chaos.drills``: something large breaks in the middle of a bulk confirmation.

Everything runs as it is deployed and at the protocol's true times: an outcome that is unknown
settles for two minutes. ``outage``: the inventory service is down. ``blackout``: every process is
killed, PostgreSQL and the inventory service too, and started again.
"""

import argparse
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
import requests

from tests.chaos import report, trials
from tests.chaos.judge import Truth, judge
from tests.chaos.people import Acknowledged
from tests.chaos.recovery import quantile
from tests.chaos.stack import Stack

_PLENTY = 1_000_000
_AT_ONCE = 4


@dataclass(slots=True)
class Reads:
    """Customers who look at their orders at a steady rate, and how long each look took."""

    base: str
    orders: list[Acknowledged]
    rate: float = 40.0
    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    _enough: threading.Event = field(default_factory=threading.Event)

    def during(self, work: Callable[[], None]) -> str:
        """Look while ``work`` goes on; return the figures."""
        threads = [threading.Thread(target=self._look, args=[n]) for n in range(_AT_ONCE)]
        for thread in threads:
            thread.start()
        try:
            work()
        finally:
            self._enough.set()
            for thread in threads:
                thread.join()
        found = sorted(self.seconds)
        p50, p99 = (1000 * (quantile(found, share) or 0) for share in (0.5, 0.99))
        return f"{len(found)} reads, p50 {p50:.1f} ms, p99 {p99:.1f} ms, {self.failed} failed"

    def _look(self, number: int) -> None:
        chance, session = random.Random(number), requests.Session()
        session.trust_env = False
        while not self._enough.wait(chance.expovariate(self.rate / _AT_ONCE)):
            begun = time.perf_counter()
            try:
                answer = session.get(
                    f"{self.base}/{chance.choice(self.orders).public_id}", timeout=30
                )
                self.failed += not answer.ok
            except requests.RequestException:
                self.failed += 1
            self.seconds.append(time.perf_counter() - begun)


class Drill:
    """A stack with orders of two lines; ``products`` is 0 for the 40 that they share at random."""

    def __init__(self, stack: Stack, orders: int, products: int = 0) -> None:
        self.stack = stack
        self._own = products > 0
        self.products = [f"product-{number}" for number in range(products or 40)]
        self.base = f"http://127.0.0.1:{stack.port}/api/orders"
        self._local = threading.local()
        stack.upstream.set_stock(dict.fromkeys(self.products, _PLENTY))
        with ThreadPoolExecutor(_AT_ONCE) as customers:
            self.placed = list(customers.map(self._place, range(orders)))

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
        session: requests.Session = self._local.session
        return session

    def _place(self, number: int) -> Acknowledged:
        chance = random.Random(number)
        own = self.products[2 * number : 2 * number + 2]
        products = own if self._own else chance.sample(self.products, 2)
        body = {
            "fullName": "Drill Customer",
            "email": "drill@example.com",
            "address": "1 Test Way",
            "city": "Springfield",
            "zipCode": "12345",
            "userId": f"key-drill-{number}",
            "items": [
                {"productId": product, "quantity": chance.randint(1, 3), "price": "2.50"}
                for product in products
            ],
        }
        answer = self._session().post(self.base, json=body, timeout=30)
        answer.raise_for_status()
        return Acknowledged(
            f"key-drill-{number}", answer.json()["id"], int(answer.json()["number"])
        )

    def confirm(self, orders: list[Acknowledged]) -> None:
        """Select the orders and confirm them, as staff do."""
        self.stack.zygote.do("confirm_many", numbers=[order.number for order in orders])

    def click(self, order: Acknowledged) -> None:
        """Confirm one order over the API, whatever the answer."""
        with suppress(requests.RequestException):
            self._session().patch(
                f"{self.base}/{order.public_id}/status",
                json={"status": "CONFIRMED"},
                headers={"Authorization": f"Api-Key {self.stack.key}"},
                timeout=30,
            )

    def ended(self) -> int:
        """Return how many of the batch's confirmations came to an end."""
        try:
            with psycopg.connect(self.stack.database_url) as connection:
                row = connection.execute(
                    "SELECT count(*) FROM orders_confirmation"
                    " WHERE batch_id IS NOT NULL AND state NOT IN ('running', 'reversing')"
                ).fetchone()
        except psycopg.OperationalError:
            return -1
        return int(row[0]) if row else 0

    def wait_for(self, number: int, within: float) -> float:
        """Wait until so many have ended; return the seconds. Raises `TimeoutError`."""
        begun = time.monotonic()
        while self.ended() < number:
            if time.monotonic() - begun > within:
                raise TimeoutError(f"{self.ended()} of {number} ended within {within} s")
            time.sleep(0.1)
        return time.monotonic() - begun

    def judge(self) -> bool:
        """Compare the ledger with the truth, say what was found; tell whether all is well."""
        upstream, url = self.stack.upstream, self.stack.database_url
        trials.wait_until_quiet(url, upstream, within=300)
        shelves = dict.fromkeys(self.products, _PLENTY)
        known = [(order.key, order.public_id) for order in self.placed]
        found = judge(url, Truth(upstream.effects(), shelves, upstream.stock(), known))
        with psycopg.connect(url) as connection:
            states = connection.execute(
                "SELECT status, count(*) FROM orders_order GROUP BY 1 ORDER BY 1"
            ).fetchall()
            sent = connection.execute(
                "SELECT outcome, count(*) FROM orders_stockattempt GROUP BY 1 ORDER BY 1"
            ).fetchall()
        reconciled = self.stack.manage("reconcile_stock").returncode
        wrong = sum(len(each) for each in found.violations.values())
        _say(f"orders: {dict(states)}; calls that change stock, by outcome: {dict(sent)}")
        _say(f"violations: {wrong}; unresolved: {found.unresolved}; reconcile_stock: {reconciled}")
        for each in [words for words in found.violations.values() if words]:
            _say(f"  {each[0]} and {len(each) - 1} more")
        return not (wrong or found.unresolved or reconciled)


def outage(stack: Stack, orders: int, seconds: float, silent: bool) -> bool:
    """Take the inventory service away in the middle of a batch, with people at work meanwhile."""
    drill = Drill(stack, orders + int(seconds))
    batch, single = drill.placed[:orders], drill.placed[orders:]
    _say(f"before: {Reads(drill.base, batch).during(lambda: time.sleep(20))}")
    stack.upstream.call("PUT", "switches", {"latency_ms": 20})
    drill.confirm(batch)
    drill.wait_for(orders // 5, within=60)
    done = drill.ended()

    def away() -> None:
        if silent:
            stack.freeze_inventory()
        else:
            stack.upstream.call("POST", "refuse", {"seconds": seconds})
        with ThreadPoolExecutor(8) as staff:  # who click at what can't be done now
            until = time.monotonic() + seconds
            for order in single:
                staff.submit(drill.click, order)
                time.sleep(max(0.0, min(1.0, until - time.monotonic())))
        if silent:
            stack.thaw_inventory()

    how = "silent" if silent else "refusing connections"
    _say(f"inventory {how} for {seconds:.0f} s, {done} of {orders} confirmed by then")
    _say(f"during: {Reads(drill.base, batch).during(away)}")
    _say(f"by its return {drill.ended()} of {orders} had ended")
    with trials.reviewing(stack.zygote, stack.upstream, stack.database_url) as reviews:
        _say(f"the rest ended {drill.wait_for(orders, within=400):.1f} s after it")
        good = drill.judge()
    _say(f"reviews that a person decided: {len(reviews)}")
    return good


def blackout(stack: Stack, orders: int) -> bool:
    """Kill every process in the middle of a batch, and start all of them again."""
    drill = Drill(stack, orders)
    stack.upstream.call("PUT", "switches", {"latency_ms": 5})
    drill.confirm(drill.placed)
    drill.wait_for(orders // 3, within=120)
    done = drill.ended()
    died = stack.kill_everything()
    _say(f"{died} processes killed with {done} of {orders} confirmed")
    time.sleep(2)
    begun = time.monotonic()
    stack.start_again()
    _say(f"started again within {time.monotonic() - begun:.1f} s")
    with trials.reviewing(stack.zygote, stack.upstream, stack.database_url) as reviews:
        _say(f"the batch ended {drill.wait_for(orders, within=600):.1f} s after that")
        good = drill.judge()
    _say(f"reviews that a person decided: {len(reviews)}")
    return good


def main() -> int:
    """Run one drill; exit code 0 when nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.drills", description=__doc__)
    drills = parser.add_subparsers(dest="drill", required=True)
    out = drills.add_parser("outage")
    out.add_argument("--orders", type=int, default=200)
    out.add_argument("--seconds", type=float, default=60.0)
    out.add_argument("--silent", action="store_true", help="takes calls, and answers none")
    drills.add_parser("blackout").add_argument("--orders", type=int, default=1000)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # clean up as after Ctrl-C
    _say(f"{options.drill}, commit {report.commit()}")
    with Stack(workers=1, true_pace=True) as stack:
        if options.drill == "outage":
            good = outage(stack, options.orders, options.seconds, options.silent)
        else:
            good = blackout(stack, options.orders)
    _say("nothing was lost" if good else "NOT CLEAN")
    return 0 if good else 1


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
