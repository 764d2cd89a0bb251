"""A client of the inventory service that never leaves open whether stock may have moved."""

from inventory_client.addresses import is_addressable
from inventory_client.answers import Adjusted, Availability, Health, StockLevel
from inventory_client.client import InventoryClient
from inventory_client.clock import boottime
from inventory_client.errors import (
    InventoryError,
    NotYet,
    OutcomeUnknown,
    Rejected,
    Unavailable,
)

__all__ = [
    "Adjusted",
    "Availability",
    "Health",
    "InventoryClient",
    "InventoryError",
    "NotYet",
    "OutcomeUnknown",
    "Rejected",
    "StockLevel",
    "Unavailable",
    "boottime",
    "is_addressable",
]
