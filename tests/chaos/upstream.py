"""The inventory sandbox's control endpoints, and its log of effects: the truth of a run."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

_ORDER = re.compile(r"\border:(\d+)")
_PATIENCE = 60.0  # seconds; the sandbox is made to refuse connections for a while


@dataclass(frozen=True, slots=True)
class Effect:
    """A change of stock that really happened; who asked for it is in its reason."""

    product_id: str
    delta: int
    movement_id: str | None
    order_number: int | None


class Upstream:
    """The control of a sandbox that listens at ``root``."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.url = f"{root}/api/v1"
        self._session = requests.Session()
        self._session.trust_env = False

    def call(self, method: str, name: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call a control endpoint, again while connections are refused."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                answer = self._session.request(
                    method, f"{self.root}/_sandbox/{name}", json=body, timeout=10
                )
            except requests.ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
                continue
            answer.raise_for_status()
            return answer.json()

    def set_stock(self, quantities: Mapping[str, int]) -> None:
        """Put stock on the shelves, as nobody does during a run."""
        self.call("PUT", "stock", dict(quantities))

    def stock(self) -> dict[str, int]:
        """Return what is in stock, by product."""
        return dict(self.call("GET", "stock"))

    def state(self) -> dict[str, Any]:
        """Return counts of calls and faults, and how many effects are still to land."""
        return dict(self.call("GET", "state"))

    def effects(self, after: int = 0) -> list[Effect]:
        """Return all that ever changed stock, oldest first."""
        found: list[Effect] = []
        while True:
            page = self.call("GET", f"effects?after={after}&limit=2000")["effects"]
            if not page:
                return found
            found += [_effect(each) for each in page]
            after = page[-1]["id"]


def _effect(logged: Mapping[str, Any]) -> Effect:
    order = _ORDER.search(logged["reason"])
    return Effect(
        product_id=logged["product_id"],
        delta=logged["delta"],
        movement_id=logged["movement_id"],
        order_number=int(order[1]) if order else None,
    )
