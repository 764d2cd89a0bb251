"""The sidebar: where staff can go, and where they are."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from orders.admin import links
from orders.models import StockMovement
from orders.status import MovementState, OrderStatus, StockState


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of links that the user may follow, the current one marked."""
    see = request.user.has_perm
    sees_stock = see("orders.view_stockmovement")
    reviews = StockMovement.objects.filter(state=MovementState.REVIEW).count() if sees_stock else 0
    home = reverse("admin:index")
    groups = [
        ("", True, [_item("Dashboard", "dashboard", home, active=request.path == home)]),
        (
            "Orders",
            see("orders.view_order"),
            [
                _orders(request, "Pending", "pending_actions", status=OrderStatus.PENDING),
                _orders(request, "Confirmed", "inventory", status=OrderStatus.CONFIRMED),
                _orders(request, "All orders", "receipt_long"),
                *(
                    [_page(request, "Batches", "playlist_add_check", "orders_batch")]
                    * see("orders.view_batch")
                ),
            ],
        ),
        (
            "Stock",
            sees_stock,
            [
                _orders(request, "Short", "production_quantity_limits", stock=StockState.SHORT),
                _orders(request, "Settling", "hourglass_top", stock=StockState.SETTLING),
                _page(request, "Review", "troubleshoot", "orders_stockmovement")
                | {"badge": reviews, "badge_variant": "danger"},
                *(
                    [_page(request, "Failed", "sms_failed", "orders_confirmation")]
                    * see("orders.view_confirmation")
                ),
            ],
        ),
        (
            "People",
            True,
            [
                *([_page(request, "Users", "person", "orders_user")] * see("orders.view_user")),
                *([_page(request, "Roles", "group", "auth_group")] * request.user.is_superuser),
                *([_page(request, "API keys", "key", "orders_apikey")] * see("orders.view_apikey")),
                *(
                    [_page(request, "Exports", "download", "orders_export")]
                    * see("orders.view_export")
                ),
                *(
                    [_page(request, "Failed sign-ins", "lock_clock", "axes_accessattempt")]
                    * see("axes.view_accessattempt")
                ),
            ],
        ),
    ]
    return [{"title": title, "items": items} for title, seen, items in groups if seen]


def account(request: HttpRequest) -> list[dict[str, str]]:
    """Return the links of the menu at the user's name."""
    links = [("Second factor", "admin:second_factor")]
    if request.user.is_authenticated and request.user.has_usable_password():
        links.insert(0, ("Change password", "admin:password_change"))
    return [{"title": title, "link": reverse(name)} for title, name in links]


def _page(request: HttpRequest, title: str, icon: str, model: str) -> dict[str, Any]:
    link = reverse(f"admin:{model}_changelist")
    return _item(title, icon, link, active=request.path.startswith(link))


def _orders(
    request: HttpRequest, title: str, icon: str, *, status: str = "", stock: str = ""
) -> dict[str, Any]:
    """Return a link to the order list, filtered by one word or not at all."""
    link = reverse("admin:orders_order_changelist")
    here = request.path == link
    chosen = (request.GET.get("status__exact", ""), request.GET.get("stock_state__exact", ""))
    return _item(
        title,
        icon,
        links.order_list(status=status, stock=stock),
        active=here and chosen == (status, stock),
    )


def _item(title: str, icon: str, link: str, *, active: bool) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": link, "active": active}
