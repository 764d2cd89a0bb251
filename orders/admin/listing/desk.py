"""What the admin needs to list orders: the columns, and what narrows the list."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from orders.admin import words
from orders.admin.listing.changelist import OrderList
from orders.admin.listing.saved import SavedFilterAdmin
from orders.models import Order, OrderItem


class OrderListAdmin(SavedFilterAdmin):
    """The list of orders; what can be done to them is `orders.admin.orders`'."""

    list_display = (
        "called",
        "customer",
        "items_at_a_glance",
        "amount",
        "state",
        "stock",
        "on_hold",
        "waiting",
    )
    change_list_template = "orders/list.html"
    list_before_template = "orders/list_before.html"
    list_per_page = 50
    ordering = ("-number",)
    sortable_by = ("called", "waiting")  # the columns whose order an index serves
    search_fields = ("number",)  # shows the field; the search is our own
    search_help_text = "Number, name, e-mail or product"
    show_facets = admin.ShowFacets.NEVER  # each would be a COUNT(*)
    show_full_result_count = False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that goes by keys."""
        return OrderList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Answer 403 to an action that the list would not have offered; Django would show it."""
        offered = {"", *self.get_actions(request)}
        if not offered.issuperset(request.POST.getlist("action")):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """Return the orders with their items, whatever their number in a query of their own."""
        items = Prefetch("items", queryset=OrderItem.objects.order_by("pk"))
        return super().get_queryset(request).prefetch_related(items)

    @admin.display(description="Order", ordering="number")
    def called(self, order: Order) -> str:
        """What people call the order."""
        return str(order)

    @admin.display(description="Customer")
    def customer(self, order: Order) -> SafeString:
        """Name and e-mail."""
        return format_html(
            '<span class="orders-customer">{}<br><small>{}</small></span>',
            order.full_name,
            order.email,
        )

    @admin.display(description="Items")
    def items_at_a_glance(self, order: Order) -> str:
        """The first few items."""
        return words.glance(order.items.all())

    @admin.display(description="Total")
    def amount(self, order: Order) -> str:
        """The total with its currency."""
        return words.money(order.total, order.currency)

    @admin.display(description="Status")
    def state(self, order: Order) -> SafeString:
        """The status, coloured."""
        return words.status_badge(order.status)

    @admin.display(description="Stock", empty_value="")
    def stock(self, order: Order) -> SafeString | str:
        """The stock state, unless all is well."""
        return words.stock_badge(order.stock_state)

    @admin.display(description="Hold", empty_value="")
    def on_hold(self, order: Order) -> SafeString | str:
        """Why it must not be confirmed, if so."""
        return words.badge(order.hold_reason, "danger") if order.hold_reason else ""

    @admin.display(description="Age", ordering="-created_at")
    def waiting(self, order: Order) -> SafeString:
        """How old the order is; when exactly it was placed, on hovering."""
        return words.since(order.created_at)


def all_that_match(request: HttpRequest) -> bool:
    """Tell whether a list action is for all orders of the filter, and not for those ticked."""
    return request.POST.get("select_across") == "1"
