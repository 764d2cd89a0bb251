"""The control: an order admin of the usual kind, by the book of Django's own documentation.

It has what many admins have: columns, filters, a search over fields of two tables, a date
hierarchy, and the paginator and the counts that Django brings along. Theme and models are ours.
"""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.urls import path
from unfold.admin import ModelAdmin, TabularInline
from unfold.sites import UnfoldAdminSite

from orders.models import Order, OrderEvent, OrderItem, User
from orderservice.urls import urlpatterns as ours

# Unfold ships no types, and its classes here are not those that our own admin has wrapped: so the
# checker is told to look away from each.
site = UnfoldAdminSite(name="control")


class Items(TabularInline):  # type: ignore[misc]
    """The lines of an order."""

    model = OrderItem
    extra = 0


class Events(TabularInline):  # type: ignore[misc]
    """What happened to an order."""

    model = OrderEvent
    extra = 0


@admin.register(Order, site=site)
class ControlAdmin(ModelAdmin):  # type: ignore[misc]
    """The usual list and form; it even prefetches."""

    list_display = (
        "number",
        "full_name",
        "email",
        "owner",
        "products",
        "total",
        "status",
        "stock_state",
        "created_at",
    )
    list_filter = ("status", "stock_state", "created_at", "city")
    list_select_related = ("owner",)
    search_fields = ("number", "full_name", "email", "items__product_id")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    list_per_page = 50  # as ours has, so that both draw as many rows
    inlines = (Items, Events)

    def get_queryset(self, request):  # type: ignore[no-untyped-def]
        """Return the orders with their items."""
        return super().get_queryset(request).prefetch_related("items")

    def products(self, order: Order) -> str:
        """The lines in words."""
        return ", ".join(str(item) for item in order.items.all())


site.register(User, UserAdmin)

urlpatterns = [path("control/", site.urls), *ours]
