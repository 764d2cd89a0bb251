"""Orders in the admin: the list, what is done from it, and the order page."""

from django.contrib import admin

from orders.admin.bulk import OrderBulkAdmin
from orders.admin.listing import OrderListAdmin
from orders.admin.page import OrderPageAdmin
from orders.admin.printing import PrintAdmin
from orders.models import Order


@admin.register(Order)
class OrderAdmin(OrderBulkAdmin, PrintAdmin, OrderListAdmin, OrderPageAdmin):
    """Orders can be looked at by who may view them, and changed by verbs alone."""

    actions = (*OrderBulkAdmin.bulk_actions, *PrintAdmin.download_actions)
