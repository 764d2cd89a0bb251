"""Which site Django's admin is."""

from django.contrib.admin.apps import AdminConfig


class OrderDeskConfig(AdminConfig):
    """Django's admin, with the order desk in the place of its site."""

    default_site = "orders.signin.site.OrderDesk"
