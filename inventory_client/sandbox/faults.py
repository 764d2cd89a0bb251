"""Which call fails, and how: scripted one by one, or by seeded chance."""

from __future__ import annotations

import random
import threading
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from inventory_client.sandbox.messages import Response, unexpected

# Nothing is applied.
BEFORE = ("500_before", "503_before", "reset_before", "307", "429", "hang")
# The call is applied as ever, and the answer is spoilt.
AFTER = (
    "500_after",
    "reset_after",
    "slow_loris",
    "truncated",
    "malformed_json",
    "wrong_product",
    "wrong_quantity",
    "string_quantity",
    "oversized",
)
# It is applied late: answered late, or the connection dies at once and the effect lands all alone.
LATE = ("latency", "late_apply", "late_dead")
FAULTS = (*BEFORE, *AFTER, *LATE)
OPERATIONS = ("adjust", "check", "read", "price")
_OVERSIZE = 200_000


@dataclass(slots=True)
class _Scripted:
    fault: str
    operation: str
    product_id: str | None


@dataclass(frozen=True, slots=True)
class Chances:
    """How likely each fault is on each call; times are in seconds."""

    seed: int = 0
    probabilities: Mapping[str, float] = field(default_factory=dict)
    operations: Sequence[str] = ("adjust",)
    latency_max: float = 3.0
    late_seconds: float = 1.0


class Faults:
    """Draws the fault of each call, and counts the faults that were served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._script: deque[_Scripted] = deque()
        self._served: Counter[str] = Counter()
        self.chances = Chances()
        self._random = random.Random(0)  # noqa: S311 - repeatable faults, no secrets

    def configure(self, settings: dict[str, Any]) -> None:
        """Replace the chances and restart their seed; raises ValueError on a bad setting."""
        try:
            chances = replace(Chances(), **settings)
        except TypeError as exc:
            raise ValueError(str(exc)) from exc
        _require_known(chances.probabilities, FAULTS)
        _require_known(chances.operations, OPERATIONS)
        values = list(chances.probabilities.values())
        if any(not isinstance(value, int | float) or value < 0 for value in values):
            raise ValueError("a probability is a number of 0 or more")
        if sum(values) > 1:
            raise ValueError("the probabilities add up to more than 1")
        with self._lock:
            self.chances = chances
            self._random = random.Random(chances.seed)  # noqa: S311 - as above

    def script(
        self,
        fault: str,
        *,
        operation: str = "adjust",
        product_id: str | None = None,
        times: int = 1,
    ) -> None:
        """Queue a fault for the next ``times`` calls that fit; None fits every product."""
        _require_known([fault], FAULTS)
        _require_known([operation], OPERATIONS)
        with self._lock:
            self._script.extend(_Scripted(fault, operation, product_id) for _ in range(times))

    def clear(self) -> None:
        """Forget the script, the chances and the counts."""
        with self._lock:
            self._script.clear()
            self._served.clear()
            self.chances = Chances()

    def draw(self, operation: str, product_id: str) -> str | None:
        """Return the fault of this call: the first scripted one that fits, else one by chance."""
        with self._lock:
            for scripted in self._script:
                if scripted.operation == operation and scripted.product_id in (None, product_id):
                    self._script.remove(scripted)
                    self._served[scripted.fault] += 1
                    return scripted.fault
            if operation not in self.chances.operations:
                return None
            point = self._random.random()
            for fault, probability in self.chances.probabilities.items():
                point -= probability
                if point < 0:
                    self._served[fault] += 1
                    return fault
        return None

    def latency(self) -> float:
        """Draw the seconds of one ``latency`` fault."""
        with self._lock:
            return self._random.uniform(0, self.chances.latency_max)

    def report(self) -> dict[str, Any]:
        """Return what is set, what is queued and what was served."""
        with self._lock:
            return {
                "seed": self.chances.seed,
                "probabilities": dict(self.chances.probabilities),
                "operations": list(self.chances.operations),
                "latency_max": self.chances.latency_max,
                "late_seconds": self.chances.late_seconds,
                "scripted": [
                    {"fault": one.fault, "operation": one.operation, "product_id": one.product_id}
                    for one in self._script
                ],
                "served": dict(self._served),
            }


def instead(fault: str, path: str, trace_id: str) -> Response:
    """Return the answer that a fault gives in place of the real one."""
    match fault:
        case "307":
            return Response(307, None, {"location": f"{path}/"})
        case "429":
            return Response(429, {"detail": "Too Many Requests"}, {"retry-after": "1"})
        case "503_before":
            return Response(503, {"detail": "Service Unavailable"})
    return unexpected(trace_id)


def spoilt(fault: str, response: Response) -> Response:
    """Return the real answer with one thing wrong in it, if it has that thing."""
    if not isinstance(response.document, dict):
        return response
    document = dict(response.document)
    quantity = next((name for name in ("quantity", "new_quantity") if name in document), None)
    named = next((name for name in ("product_id", "id") if name in document), None)
    if fault == "wrong_product" and named:
        document[named] += "-other"
    elif fault == "wrong_quantity" and quantity:
        document[quantity] += 1000
    elif fault == "string_quantity" and quantity:
        document[quantity] = str(document[quantity])
    elif fault == "oversized":
        document["padding"] = "x" * _OVERSIZE
    return replace(response, document=document)


def _require_known(names: Mapping[str, float] | Sequence[str], known: Sequence[str]) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: there are only {', '.join(known)}")
