"""A client of the inventory service that never leaves open whether stock may have moved.

And one of the catalogue, over the same wire.
"""

from inventory_client.addresses import is_addressable
from inventory_client.answers import Adjusted, Availability, Health, StockLevel
from inventory_client.catalogue import CatalogueClient
from inventory_client.client import InventoryClient
from inventory_client.clock import boottime
from inventory_client.errors import (
    CatalogueUnavailable,
    InventoryError,
    NotYet,
    OutcomeUnknown,
    Rejected,
    ServiceError,
    Unavailable,
)
from inventory_client.observing import Observer

__all__ = [
    "Adjusted",
    "Availability",
    "CatalogueClient",
    "CatalogueUnavailable",
    "Health",
    "InventoryClient",
    "InventoryError",
    "NotYet",
    "Observer",
    "OutcomeUnknown",
    "Rejected",
    "ServiceError",
    "StockLevel",
    "Unavailable",
    "boottime",
    "is_addressable",
]
