"""The control endpoints under /_sandbox/: stock, prices, effects, switches and faults, in JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from inventory_client.sandbox.messages import Request, Response

if TYPE_CHECKING:
    from inventory_client.sandbox.server import Sandbox

PREFIX = "/_sandbox/"
DEMO_STOCK: dict[str, int | None] = {
    str(number): quantity
    for number, quantity in enumerate(
        [120, 80, 3, 0, 250, 15, 60, 1, 33, 45, 500, 7, 90, 12, 5, 40, 1000, 2, 64, 28], start=1
    )
}
_CENTS = [1250, 3400, 24990, 560, 320, 7900, 1875, 42000, 5900, 5000, 110, 830, 2740, 1500, 31000]
_CENTS += [8495, 45, 14550, 620, 999]
DEMO_PRICES: dict[str, Any] = {
    str(number): f"{cents / 100:.2f}" for number, cents in enumerate(_CENTS, start=1)
}
_PAGE_EFFECTS = 25
_PAGE_ITEMS = 200


class Control:
    """Answers the control endpoints; each change takes effect for the next call."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._endpoints: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("GET", "state"): self._state,
            ("GET", "stock"): self._stock,
            ("PUT", "stock"): self._set_stock,
            ("GET", "prices"): self._prices,
            ("PUT", "prices"): self._set_prices,
            ("GET", "effects"): self._effects,
            ("PUT", "switches"): self._set_switches,
            ("PUT", "faults"): self._set_faults,
            ("POST", "script"): self._script,
            ("POST", "refuse"): self._refuse,
            ("POST", "reset"): self._reset,
        }

    def answer(self, request: Request) -> Response:
        """Answer one request; 404 for another path, 400 with the reason for a bad one."""
        endpoint = self._endpoints.get((request.method, request.path.removeprefix(PREFIX)))
        if endpoint is None:
            known = [f"{method} {PREFIX}{name}" for method, name in self._endpoints]
            return Response(404, {"detail": "Not Found", "endpoints": known})
        try:
            return Response(200, endpoint(request))
        except (ValueError, TypeError) as exc:
            return Response(400, {"detail": str(exc)})

    def _state(self, _: Request) -> dict[str, Any]:
        sandbox = self._sandbox
        return {
            "items": [asdict(item) for item in sandbox.store.items(offset=0, limit=_PAGE_ITEMS)],
            "prices": sandbox.store.prices(),
            "effects": sandbox.store.last_effects(_PAGE_EFFECTS),
            "switches": asdict(sandbox.switches),
            "faults": sandbox.faults.report(),
            "calls": sandbox.calls(),
            "late": sandbox.late,
        }

    def _stock(self, _: Request) -> dict[str, int]:
        store = self._sandbox.store
        items = store.items(offset=0, limit=store.count())
        return {item.product_id: item.quantity for item in items}

    def _set_stock(self, request: Request) -> dict[str, int]:
        self._sandbox.store.set_stock(_stock_in(_body(request)))
        return self._stock(request)

    def _prices(self, _: Request) -> dict[str, Any]:
        return self._sandbox.store.prices()

    def _set_prices(self, request: Request) -> dict[str, Any]:
        self._sandbox.store.set_prices(_body(request))
        return self._prices(request)

    def _effects(self, request: Request) -> dict[str, Any]:
        return {
            "effects": self._sandbox.store.effects(
                after=int(request.query.get("after", "0")),
                product_id=request.query.get("product_id"),
                limit=int(request.query.get("limit", "1000")),
            )
        }

    def _set_switches(self, request: Request) -> dict[str, Any]:
        self._sandbox.switches.update(_body(request))
        return asdict(self._sandbox.switches)

    def _set_faults(self, request: Request) -> dict[str, Any]:
        self._sandbox.faults.configure(_body(request))
        return self._sandbox.faults.report()

    def _script(self, request: Request) -> dict[str, Any]:
        self._sandbox.faults.script(**_body(request))
        return self._sandbox.faults.report()

    def _refuse(self, request: Request) -> dict[str, Any]:
        seconds = float(_body(request)["seconds"])
        self._sandbox.refuse(seconds)
        return {"refused_for": seconds}

    def _reset(self, request: Request) -> dict[str, int]:
        asked = _body(request)
        stock = _stock_in(asked.get("stock", DEMO_STOCK))
        prices = asked.get("prices", DEMO_PRICES)
        if not isinstance(prices, dict):
            raise TypeError("the prices must be a JSON object")
        self._sandbox.reset(stock, prices)
        return self._stock(request)


def _body(request: Request) -> dict[str, Any]:
    # A page of another site can send a form but not this type: the switches are not its to turn.
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise ValueError("send application/json")
    value = json.loads(request.body or b"{}")
    if not isinstance(value, dict):
        raise TypeError("send a JSON object")
    return value


def _stock_in(document: Mapping[str, Any]) -> dict[str, int | None]:
    for product_id, quantity in document.items():
        if quantity is not None and (type(quantity) is not int or quantity < 0):
            raise ValueError(f"the stock of {product_id} must be a whole number, or null to remove")
    return dict(document)
