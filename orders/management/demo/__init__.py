"""A shop's made-up history: as many orders as wanted, with all that would have happened to them."""

from orders.management.demo.loading import load, parts_of
from orders.management.demo.shop import PRICES

__all__ = ["PRICES", "load", "parts_of"]
