"""The domain's Django application."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in

from orders.signin import sessions


class OrdersConfig(AppConfig):
    """Orders, their stock ledger, and who may do what."""

    name = "orders"
    verbose_name = "Orders"

    def ready(self) -> None:
        """Have every sign-in begin the session's time."""
        user_logged_in.connect(sessions.begin)
