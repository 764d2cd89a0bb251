"""The tables, and what must always be true of them."""

from orders.models.access import ApiKey, User
from orders.models.batch import Batch, BatchEntry
from orders.models.export import Export
from orders.models.filters import SavedFilter
from orders.models.idempotency import IdempotencyKey
from orders.models.metrics import ProcessReport
from orders.models.order import Order, OrderEvent, OrderItem, OrderNote
from orders.models.stock import Confirmation, StockAttempt, StockBaseline, StockMovement
from orders.models.throttling import RateCount

__all__ = [
    "ApiKey",
    "Batch",
    "BatchEntry",
    "Confirmation",
    "Export",
    "IdempotencyKey",
    "Order",
    "OrderEvent",
    "OrderItem",
    "OrderNote",
    "ProcessReport",
    "RateCount",
    "SavedFilter",
    "StockAttempt",
    "StockBaseline",
    "StockMovement",
    "User",
]
