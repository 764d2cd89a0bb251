"""The domain's Django application."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Orders, their stock ledger, and who may do what."""

    name = "orders"
    verbose_name = "Orders"
