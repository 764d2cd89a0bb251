"""Customers and staff who call at a steady rate, whatever becomes of their calls: an open loop.

A call is due at its time, and its seconds count from then: a service that stands still is not
spared the calls that come meanwhile. Connections are kept, as browsers and other services do.
"""

import itertools
import json
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

AT_ONCE = 64  # calls; more are late, and it counts
ORDERS = "/api/orders"
# Of 20 calls so many create an order, and so many confirm one; of the others some list.
CREATES, CONFIRMS, LISTS = 4, 2, 1
ALL = 20
EXPECTED = {"read": {200}, "list": {200}, "create": {201}, "confirm": {200, 202}}


@dataclass(frozen=True, slots=True)
class Call:
    """One call: when it was due, by the monotonic clock, and what came of it."""

    kind: str
    due: float
    seconds: float
    status: int  # 0 without an answer
    fault: str = ""  # of an answer that is neither what was asked for nor a clean refusal

    @property
    def good(self) -> bool:
        """Whether the call got what it asked for."""
        return self.status in EXPECTED[self.kind]

    @property
    def refused(self) -> bool:
        """Whether the answer is a clean 503: a problem that says when to try again."""
        return self.status == 503 and not self.fault


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that was acknowledged."""

    key: str
    public_id: str
    number: int


class Load:
    """Calls to one address. ``lost`` are creations without a 201, which a customer would repeat."""

    def __init__(
        self, port: int, api_key: str, products: Sequence[str], *, patience: float = 30.0
    ) -> None:
        self._port = port
        self._staff = {"Authorization": f"Api-Key {api_key}"}
        self._products = products
        self._patience = patience
        self._local = threading.local()
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._pending: deque[Placed] = deque()
        self.calls: list[Call] = []
        self.placed: list[Placed] = []
        self.asked: list[Placed] = []  # confirmed, as staff were told, or soon to be
        self.lost: list[int] = []

    def prepare(self, orders: int) -> None:
        """Place orders to read, and forget the calls that were made until now."""
        with ThreadPoolExecutor(4) as customers:
            list(customers.map(lambda _: self._create(next(self._numbers)), range(orders)))
        if self.lost:
            raise RuntimeError(f"the service does not serve: {self.calls[-1]}")
        self.calls.clear()

    def take(self, orders: int) -> list[Placed]:
        """Return orders that nobody has confirmed, and confirm them no more."""
        return [self._pending.popleft() for _ in range(orders)]

    def during(self, work: Callable[[], None], *, rate: float, most: float) -> None:
        """Call so often a second while ``work`` goes on, for ``most`` seconds at the longest."""
        enough = threading.Event()
        with ThreadPoolExecutor(1) as clock:
            steady = clock.submit(self._keep_calling, enough, rate, most)
            try:
                work()
            finally:
                enough.set()
            steady.result()

    def repeat_lost(self) -> None:
        """Create once more, with the same keys, what got no 201; raise when it gets none again."""
        lost, self.lost = self.lost, []
        for number in lost:
            self._create(number)
        if self.lost:
            raise RuntimeError(f"{len(self.lost)} creations got no 201 when repeated")

    def _keep_calling(self, enough: threading.Event, rate: float, most: float) -> None:
        begun = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as clients:
            made = []
            for due in (begun + turn / rate for turn in range(int(rate * most))):
                if enough.wait(max(0.0, due - time.monotonic())):
                    break
                made.append(clients.submit(self._call_once, next(self._numbers), due))
        for call in made:
            call.result()  # raises what no call should end with

    def _call_once(self, number: int, due: float) -> None:
        kind = number * 7 % ALL  # neither all of a kind at a time, nor by chance
        if kind < CREATES:
            self._create(number, due)
        elif kind < CREATES + CONFIRMS and (order := self._next_pending()):
            self._confirm(order, due)
        elif kind < CREATES + CONFIRMS + LISTS:
            self._call("list", due, "GET", f"{ORDERS}?limit=20", headers=self._staff)
        else:
            order = random.Random(number).choice(self.placed)
            self._call("read", due, "GET", f"{ORDERS}/{order.public_id}")

    def _next_pending(self) -> Placed | None:
        with self._lock:
            return self._pending.popleft() if self._pending else None

    def _create(self, number: int, due: float | None = None) -> None:
        chance = random.Random(number)
        key = f"uptime-{number}"
        body = {
            "fullName": "Uptime Customer",
            "email": "uptime@example.com",
            "address": "1 Test Way",
            "city": "Springfield",
            "zipCode": "12345",
            "userId": key,
            "items": [
                {"productId": product, "quantity": 1, "price": "2.50"}
                for product in chance.sample(self._products, 2)
            ],
        }
        at = time.monotonic() if due is None else due
        headers = {"Idempotency-Key": key}
        answer = self._call("create", at, "POST", ORDERS, body=body, headers=headers)
        with self._lock:
            if answer is None:
                self.lost.append(number)
            else:
                order = Placed(key, answer["id"], int(answer["number"]))
                self.placed.append(order)
                self._pending.append(order)

    def _confirm(self, order: Placed, due: float) -> None:
        path = f"{ORDERS}/{order.public_id}/status"
        body = {"status": "CONFIRMED"}
        answer = self._call("confirm", due, "PATCH", path, body=body, headers=self._staff)
        with self._lock:
            (self._pending if answer is None else self.asked).append(order)

    def _call(
        self,
        kind: str,
        due: float,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """Make a call and note it; return the answer's body when it is what was asked for."""
        content, sent = None, {"Host": "localhost", **(headers or {})}
        if body is not None:
            content, sent = json.dumps(body), {**sent, "Content-Type": "application/json"}
        status, fault, found = 0, "", None
        connection = self._connection()
        try:
            connection.request(method, path, content, sent)
            response = connection.getresponse()
            text = response.read()
        except (OSError, HTTPException) as exc:
            connection.close()
            fault = type(exc).__name__
        else:
            status = response.status
            if status in EXPECTED[kind]:
                found = json.loads(text)
            else:
                fault = unclean(response, text)
        with self._lock:
            self.calls.append(Call(kind, due, time.monotonic() - due, status, fault))
        return found

    def _connection(self) -> HTTPConnection:
        if not hasattr(self._local, "connection"):
            self._local.connection = HTTPConnection("127.0.0.1", self._port, timeout=self._patience)
        connection: HTTPConnection = self._local.connection
        return connection


def unclean(response: HTTPResponse, text: bytes) -> str:
    """Return what is wrong with a refusal; empty when it is a 503 as it should be."""
    said = f"{response.status} {text[:200]!r}"
    if response.status != 503 or response.headers["Content-Type"] != "application/problem+json":
        return said
    if json.loads(text)["status"] != 503:
        return said
    return "" if (response.headers["Retry-After"] or "").isdecimal() else f"no Retry-After: {said}"


def quantile(calls: Sequence[Call], share: float) -> float:
    """Return within how many milliseconds such a share of the calls was answered."""
    times = sorted(call.seconds for call in calls)
    return 1000 * times[min(len(times) - 1, int(share * len(times)))] if times else 0.0


def summary(calls: Sequence[Call]) -> str:
    """Say how many calls there were of each kind, and how long they took."""
    kinds = ", ".join(f"{kind} {count}" for kind, count in Counter(c.kind for c in calls).items())
    p50, p99, slowest = (quantile(calls, share) for share in (0.5, 0.99, 1.0))
    return (
        f"{len(calls)} requests ({kinds}); p50 {p50:.0f} ms, p99 {p99:.0f} ms,"
        f" slowest {slowest:.0f} ms"
    )
