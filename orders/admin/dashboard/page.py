"""The admin's index: which cards its viewer's roles let them see, and what is in them.

Each card is asked for by itself: one whose figures the database had no answer for says so, and the
others show theirs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from orders import figures
from orders.admin.dashboard import days, health, tiles
from orders.queries import Unanswered
from orders.stock import inspection

DAYS = 30  # that the charts show
FAILURE_DAYS = 7


@dataclass(frozen=True, slots=True)
class Card:
    """A part of the page; shows None when the database had no answer."""

    title: str
    name: str
    shown: Any

    @property
    def template(self) -> str:
        """Where it is drawn."""
        return f"orders/dashboard/{self.name}.html"

    @property
    def css(self) -> str:
        """Its class, by which the grid gives it its room."""
        return f"dash-{self.name}"


def context(request: HttpRequest, base: dict[str, Any]) -> dict[str, Any]:
    """Add the dashboard to the context of the admin's index."""
    see = request.user.has_perm
    sees_orders, now = see("orders.view_order"), timezone.now()
    parts: dict[str, list[Card]] = {"tiles": [], "charts": [], "health": []}

    def add(part: str, name: str, title: str, ask: Callable[[], Any]) -> None:
        parts[part].append(_card(name, title, ask))

    if sees_orders:
        due_before = now - timedelta(hours=settings.ORDER_DUE_HOURS)
        add(
            "tiles",
            "tiles",
            "Open orders",
            lambda: tiles.open_orders(figures.open_orders(due_before), due_before, now),
        )
        add("charts", "charts", "Orders and revenue", lambda: days.days(figures.by_day(DAYS)))
    if sees_orders and see("orders.view_stockmovement"):
        add("tiles", "tiles", "Stock", lambda: tiles.stock(figures.stock_queues(), now))
    if see("orders.view_confirmation"):
        add(
            "health",
            "failures",
            "Failed confirmations",
            lambda: health.failures(figures.failures(FAILURE_DAYS)),
        )
        add("health", "worker", "Worker", lambda: health.worker(figures.worker(), now))
    if sees_orders and see("orders.view_orderevent"):
        add("health", "latest", "Latest", health.latest)
    if see("orders.view_stockattempt"):
        add("health", "inventory", "Inventory service", lambda: health.calls(figures.calls()))
    zone = timezone.get_default_timezone_name()
    return base | parts | {"title": "Dashboard", "zone": zone}


@require_safe
def inventory(request: HttpRequest) -> HttpResponse:
    """Ask the inventory how it is now; the page loads this afterwards, or follows it as a link."""
    if not request.user.has_perm("orders.view_stockattempt"):
        raise PermissionDenied
    seen = inspection.ping()
    if "HX-Request" in request.headers:
        return render(request, "orders/dashboard/ping.html", {"seen": seen})
    frame = admin.site.each_context(request)
    return render(
        request, "orders/dashboard/ping_page.html", frame | {"title": "Inventory", "seen": seen}
    )


def _card(name: str, title: str, ask: Callable[[], Any]) -> Card:
    try:
        return Card(title, name, ask())
    except Unanswered:
        return Card(title, name, None)
