"""The inventory API as measured, its races and its odd answers included; and the catalogue's."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from inventory_client.sandbox import validation
from inventory_client.sandbox.messages import UNEXPECTED, Refusal, Request, Response
from inventory_client.sandbox.store import Effect, Item, Store, now
from inventory_client.sandbox.switches import Switches

UNKNOWN_WAREHOUSE = "N/A"
# The upstream applies the change first and logs it second; beyond this size only the log fails.
MAX_LOGGED_BYTES = 16 * 1024 * 1024
_INT64 = range(-(2**63), 2**63)


class Inventory:
    """What the service does, free of paths; both dialects speak to it."""

    def __init__(self, store: Store, switches: Switches) -> None:
        self._store = store
        self._switches = switches

    def change(self, product_id: str, delta: int, reason: str, request: Request) -> Item:
        """Change stock by reading it, waiting for the race window, and writing the result.

        Returns the item as read after the write. Raises Refusal.
        """
        key = request.headers.get("idempotency-key")
        once = self._switches.honours_idempotency
        if once and key and self._store.knows_key(key):
            return self._existing(product_id)
        before = self._existing(product_id)
        if delta not in _INT64 or before.quantity + delta not in _INT64:
            raise Refusal(500, f"Failed to adjust inventory: {delta} exceeds 8-byte ints")
        if before.quantity + delta < 0:
            raise Refusal(
                400,
                f"Insufficient stock. Current quantity: {before.quantity}, "
                f"Requested change: {delta}, Would result in: {before.quantity + delta}",
            )
        time.sleep(self._switches.race_window_ms / 1000)
        effect = Effect(product_id, delta, before.quantity, reason, key, request.trace_id)
        self._store.apply(effect, once=once)
        if len(reason.encode()) > MAX_LOGGED_BYTES:
            raise Refusal(500, UNEXPECTED)
        return self._existing(product_id)

    def item(self, product_id: str) -> dict[str, Any]:
        """Return a product's item; raises Refusal 404."""
        return asdict(self._existing(product_id))

    def availability(self, product_id: str, required: int) -> dict[str, Any]:
        """Compare a product's stock with what is required, an unknown product's being 0."""
        item = self._store.item(product_id)
        return {
            "product_id": product_id,
            "available": item is not None and item.quantity >= required,
            "current_quantity": item.quantity if item else 0,
            "required_quantity": required,
            "warehouse_location": item.warehouse_location if item else UNKNOWN_WAREHOUSE,
        }

    def check_bulk(self, request: Request) -> dict[str, Any]:
        """Answer a bulk check, each line by itself: two lines of one product are not added up."""
        fields = validation.body(request)
        lines = fields.objects("items")
        wanted = [
            (line.text("product_id"), line.integer("required_quantity", minimum=1))
            for line in lines
        ]
        for line in lines:
            fields.take(line)
        fields.refuse_errors()
        items = [self.availability(product_id, required) for product_id, required in wanted]
        return {"all_available": all(item["available"] for item in items), "items": items}

    def _existing(self, product_id: str) -> Item:
        item = self._store.item(product_id)
        if item is None:
            raise Refusal(404, f"Product {product_id} not found")
        return item


class InventoryApi:
    """The endpoints of the ``inventory`` dialect."""

    def __init__(self, inventory: Inventory, store: Store, switches: Switches) -> None:
        self._inventory = inventory
        self._store = store
        self._switches = switches

    def adjust(self, request: Request, product_id: str) -> Response:
        """POST /inventory/items/{product_id}/adjust."""
        fields = validation.body(request)
        delta = fields.integer("quantity")
        reason = fields.text("reason", minimum=1)
        fields.refuse_errors()
        return Response(200, asdict(self._inventory.change(product_id, delta, reason, request)))

    def check_bulk(self, request: Request, _: str) -> Response:
        """POST /inventory/check-availability/bulk."""
        return Response(200, self._inventory.check_bulk(request))

    def check(self, request: Request, _: str) -> Response:
        """POST /inventory/check-availability; unlike the bulk check it refuses unknown products."""
        fields = validation.body(request)
        product_id = fields.text("product_id")
        required = fields.integer("required_quantity", minimum=1)
        fields.refuse_errors()
        self._inventory.item(product_id)
        return Response(200, self._inventory.availability(product_id, required))

    def read(self, _: Request, product_id: str) -> Response:
        """GET /inventory/items/{product_id}."""
        return Response(200, self._inventory.item(product_id))

    def listing(self, request: Request, _: str) -> Response:
        """GET /inventory/items, paged."""
        fields = validation.Fields({"page": 1, "limit": 20, **request.query}, ("query",))
        page = fields.integer("page", minimum=1)
        limit = fields.integer("limit", minimum=1, maximum=100)
        fields.refuse_errors()
        product_id = request.query.get("product_id")
        total = self._store.count(product_id)
        items = self._store.items(offset=(page - 1) * limit, limit=limit, product_id=product_id)
        document = {
            "current_page": page,
            "per_page": limit,
            "total": total,
            "last_page": max(1, -(-total // limit)),
            "data": [asdict(item) for item in items],
        }
        return Response(200, document)

    def create(self, request: Request, _: str) -> Response:
        """POST /inventory/items."""
        fields = validation.body(request)
        product_id = fields.text("product_id", minimum=1)
        quantity = fields.integer("quantity", minimum=0)
        location = fields.text("warehouse_location")
        fields.refuse_errors()
        if not self._store.create(product_id, quantity, location):
            raise Refusal(400, f"Product {product_id} already exists in inventory")
        return Response(201, self._inventory.item(product_id))

    def health(self, _: Request, __: str) -> Response:
        """GET /health: 200 either way, the word on the database inside."""
        connected = self._switches.database_connected
        document = {
            "status": "healthy" if connected else "degraded",
            "environment": "sandbox",
            "database": "connected" if connected else "disconnected",
            "timestamp": now(),
        }
        return Response(200, document)


class CatalogueApi:
    """The catalogue's one endpoint, for the products that have a price."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, _: Request, product_id: str) -> Response:
        """GET /products/{product_id}."""
        price = self._store.price(product_id)
        if price is None:
            raise Refusal(404, f"Product {product_id} not found")
        return Response(200, {"id": product_id, "price": price})


class GatewayApi:
    """The endpoints of the ``gateway`` dialect, in the words of the gateway."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    def remove(self, request: Request, product_id: str) -> Response:
        """POST /stock/{product_id}/remove."""
        return self._move(request, product_id, -1)

    def add(self, request: Request, product_id: str) -> Response:
        """POST /stock/{product_id}/add."""
        return self._move(request, product_id, 1)

    def check_bulk(self, request: Request, _: str) -> Response:
        """POST /stock/check-availability/bulk."""
        return Response(200, self._inventory.check_bulk(request))

    def read(self, _: Request, product_id: str) -> Response:
        """GET /stock/{product_id}."""
        return Response(200, self._inventory.item(product_id))

    def _move(self, request: Request, product_id: str, sign: int) -> Response:
        fields = validation.body(request)
        quantity = fields.integer("quantity", minimum=1)
        reason = fields.text("reason", minimum=1)
        fields.refuse_errors()
        item = self._inventory.change(product_id, sign * quantity, reason, request)
        verb = "removed" if sign < 0 else "added"
        document = {
            "message": f"Stock {verb} successfully",
            "success": True,
            "product_id": product_id,
            f"quantity_{verb}": quantity,
            "new_quantity": item.quantity,
            "timestamp": now(),
        }
        return Response(200, document)
