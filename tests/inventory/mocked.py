"""Addresses, true answers and small words for tests whose answers are given by ``responses``."""

from __future__ import annotations

import json
from typing import Any

import pytest

from inventory_client import Adjusted, InventoryClient, InventoryError

BASE = "https://inventory.test/api/v1"
ADJUST = f"{BASE}/inventory/items/10/adjust"
READ = f"{BASE}/inventory/items/10"
LIST = f"{BASE}/inventory/items"
CHECK = f"{BASE}/inventory/check-availability/bulk"
GATEWAY = "https://shop.test/api"
REMOVE = f"{GATEWAY}/stock/10/remove"
ITEM = {"product_id": "10", "quantity": 8, "warehouse_location": "A", "updated_at": "2026-01-01"}
SHORT = "Insufficient stock. Current quantity: 3, Requested change: -5, Would result in: -2"
REMOVED = {"success": True, "product_id": "10", "quantity_removed": 2, "new_quantity": 8}
LINE = {
    "product_id": "10",
    "available": True,
    "current_quantity": 8,
    "required_quantity": 2,
    "warehouse_location": "A",
}


def deduct(client: InventoryClient, product_id: str = "10", delta: int = -2) -> Adjusted:
    return client.adjust(product_id, delta, reason="order:1 movement:m", idempotency_key="m")


def as_body(body: object) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def failure_of(call: Any) -> InventoryError:
    with pytest.raises(InventoryError) as failure:
        call()
    return failure.value
