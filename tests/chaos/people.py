"""Customers who want one order for one key, and staff who click twice; all over HTTP."""

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An order that a customer was told exists."""

    key: str
    public_id: str
    number: int


@dataclass(slots=True)
class Memory:
    """What people remember of the run, which the database must agree with."""

    acknowledged: list[Acknowledged] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str) -> None:
        """Count an answer."""
        with self.lock:
            self.answers[what] += 1


class People:
    """Threads that use the API until ``enough`` is set, or their work is done."""

    def __init__(
        self,
        *,
        base_url: str,
        key: str,
        products: Sequence[str],
        pieces: int,
        seed: int,
        orders: int,
        for_bulk: int,
        rest: float,
    ) -> None:
        self.memory = Memory()
        self.enough = threading.Event()
        self.bulk: list[int] = []
        self._base = f"{base_url}/api/orders"
        self._staff = {"Authorization": f"Api-Key {key}"}
        self._products = products
        self._pieces = pieces
        self._seed = seed
        self._left = iter(range(orders))
        self._orders = orders
        self._for_bulk = for_bulk
        self._rest = rest
        self._begun = time.monotonic()
        self._local = threading.local()
        self._clicks = ThreadPoolExecutor(24, thread_name_prefix="click")
        self._customers: list[threading.Thread] = []

    # --- customers -------------------------------------------------------------------------------

    def start(self, customers: int) -> None:
        """Let so many customers order, one order after another each."""
        self._customers = [threading.Thread(target=self._order) for _ in range(customers)]
        for thread in self._customers:
            thread.start()

    def ordering(self) -> bool:
        """Tell whether a customer still wants something."""
        return any(thread.is_alive() for thread in self._customers)

    def stop(self) -> None:
        """Let customers and staff finish what they are at, and begin nothing more."""
        self.enough.set()
        for thread in self._customers:
            thread.join()
        self._clicks.shutdown(wait=True)

    def _order(self) -> None:
        while not self.enough.is_set():
            with self.memory.lock:
                number = next(self._left, None)
            if number is None:
                return
            # Spread over the time that there is, so that the run's troubles meet all of them.
            early = self._begun + self._rest * number / self._orders - time.monotonic()
            if early > 0 and self.enough.wait(early):
                return
            self._place(number, random.Random(f"{self._seed}-{number}"))

    def _place(self, number: int, chance: random.Random) -> None:
        """Ask with the same key until the answer is definite."""
        key = f"key-{self._seed}-{number}"
        products = chance.sample(self._products, chance.randint(1, min(4, len(self._products))))
        body = {
            "fullName": "Chaos Customer",
            "email": f"customer{number % 50}@example.com",
            "address": "1 Test Way",
            "city": "Springfield",
            "zipCode": "12345",
            "userId": key,
            "items": [
                {"productId": product, "quantity": chance.randint(1, self._pieces), "price": "2.50"}
                for product in products
            ],
        }
        headers = {"Idempotency-Key": key}
        while not self.enough.is_set():
            answer = self._call("POST", self._base, body, headers)
            if answer is None or answer.status_code >= 500 or answer.status_code == 429:
                self.memory.count("asked again")
                time.sleep(0.2)
                continue
            if answer.status_code == 201:
                self._acknowledged(key, answer.json(), number, chance)
                if chance.random() < 0.05:  # a customer who is not sure asks once more
                    continue
            elif answer.status_code == 409:
                self.memory.count("refused")
            else:
                self.memory.wrong.append(f"POST: {answer.status_code} {answer.text[:300]}")
            return

    def _acknowledged(
        self, key: str, order: dict[str, Any], number: int, chance: random.Random
    ) -> None:
        placed = Acknowledged(key, order["id"], int(order["number"]))
        with self.memory.lock:
            again = any(each.key == key for each in self.memory.acknowledged[-200:])
            self.memory.acknowledged.append(placed)
        if again:
            return
        if number < self._for_bulk:
            self.bulk.append(placed.number)
        else:
            self._click(placed, "CONFIRMED", chance.uniform(0, 0.5))
            if chance.random() < 0.4:  # a double click, or a colleague at the same order
                self._click(placed, "CONFIRMED", 0.0)
        if chance.random() < 0.15:
            self._click(placed, "CANCELLED", chance.uniform(0, 4))

    # --- staff -----------------------------------------------------------------------------------

    def _click(self, order: Acknowledged, status: str, after: float) -> None:
        if not self.enough.is_set():
            self._clicks.submit(self._change, order, status, after)

    def _change(self, order: Acknowledged, status: str, after: float) -> None:
        """Ask for a status until somebody answers; a service that is away is asked four times."""
        self.enough.wait(after)
        for _ in range(4):
            answer = self._call(
                "PATCH", f"{self._base}/{order.public_id}/status", {"status": status}, self._staff
            )
            if answer is not None and answer.status_code not in (500, 503):
                break
            self.memory.count("clicked again")
            if self.enough.wait(0.5):
                return
        else:
            return
        self.memory.count(f"{status} {answer.status_code}")
        if answer.status_code not in (200, 202, 409):
            self.memory.wrong.append(f"PATCH: {answer.status_code} {answer.text[:300]}")

    def _call(
        self, method: str, url: str, body: dict[str, Any], headers: dict[str, str]
    ) -> requests.Response | None:
        """Make a call; None when there was no answer, which proves nothing."""
        session = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.trust_env = False
        try:
            answer: requests.Response = session.request(
                method, url, json=body, headers=headers, timeout=15
            )
        except requests.RequestException:
            return None
        if answer.status_code == 500:
            self.memory.count("500")
        return answer
