"""Paths to endpoints, with the redirects and refusals that the upstream's router makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from inventory_client.sandbox.messages import (
    UNEXPECTED,
    Refusal,
    Request,
    Response,
    unexpected,
)
from inventory_client.sandbox.semantics import CatalogueApi, GatewayApi, InventoryApi
from inventory_client.sandbox.store import now

Operation = Literal["adjust", "check", "read", "price", "other"]
GATEWAY_PREFIX = "/api/stock"


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint; ``{product_id}`` in its path stands for one segment that is not empty."""

    method: str
    path: str
    operation: Operation
    answer: Callable[[Request, str], Response]

    def product_in(self, path: str) -> str | None:
        """Return the product id that a decoded path names here, None when it does not fit."""
        wanted, given = self.path.split("/"), path.split("/")
        if len(wanted) != len(given):
            return None
        product_id = ""
        for want, have in zip(wanted, given, strict=True):
            if want == "{product_id}" and have:
                product_id = have
            elif want != have:
                return None
        return product_id


def routes(inventory: InventoryApi, gateway: GatewayApi, catalogue: CatalogueApi) -> list[Route]:
    """Return the endpoints of both dialects and the catalogue's; the first that fits wins."""
    v1 = "/api/v1/inventory"
    stock = GATEWAY_PREFIX
    return [
        Route("GET", "/api/v1/health", "other", inventory.health),
        Route("GET", "/api/health", "other", inventory.health),
        Route("POST", f"{v1}/check-availability/bulk", "check", inventory.check_bulk),
        Route("POST", f"{v1}/check-availability", "check", inventory.check),
        Route("GET", f"{v1}/items", "other", inventory.listing),
        Route("POST", f"{v1}/items", "other", inventory.create),
        Route("GET", f"{v1}/items/{{product_id}}", "read", inventory.read),
        Route("POST", f"{v1}/items/{{product_id}}/adjust", "adjust", inventory.adjust),
        Route("POST", f"{stock}/check-availability/bulk", "check", gateway.check_bulk),
        Route("GET", f"{stock}/{{product_id}}", "read", gateway.read),
        Route("POST", f"{stock}/{{product_id}}/remove", "adjust", gateway.remove),
        Route("POST", f"{stock}/{{product_id}}/add", "adjust", gateway.add),
        Route("GET", "/products/{product_id}", "price", catalogue.read),
    ]


def find(table: list[Route], request: Request) -> tuple[Route, str] | Response:
    """Find the endpoint of a request and the product it names, or the router's own answer."""
    # The path is decoded before it is split: an encoded slash parts segments like a plain one.
    path = unquote(request.path)
    fitting = [
        (route, product) for route in table if (product := route.product_in(path)) is not None
    ]
    for route, product_id in fitting:
        if route.method == request.method:
            return route, product_id
    if fitting:
        allowed = ", ".join(sorted({route.method for route, _ in fitting}))
        return Response(405, {"detail": "Method Not Allowed"}, {"allow": allowed})
    if path.endswith("/") and any(
        route.product_in(path.rstrip("/")) is not None for route in table
    ):
        host = request.headers.get("host", "")
        return Response(307, None, {"location": f"http://{host}{request.path.rstrip('/')}"})
    return refused(request, Refusal(404, "Not Found"))


def refused(request: Request, refusal: Refusal) -> Response:
    """Put a refusal in the words of the dialect that was spoken."""
    if not request.path.startswith(GATEWAY_PREFIX):
        if refusal.detail == UNEXPECTED:
            return unexpected(request.trace_id)
        return Response(refusal.status, {"detail": refusal.detail})
    detail = refusal.detail
    message = detail if isinstance(detail, str) else "; ".join(error["msg"] for error in detail)
    error = _GATEWAY_ERRORS.get(refusal.status, "Request failed")
    return Response(refusal.status, {"error": error, "message": message, "timestamp": now()})


_GATEWAY_ERRORS = {400: "Bad Request", 404: "Not Found", 500: "Internal Server Error"}
