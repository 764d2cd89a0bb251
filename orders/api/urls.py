"""The paths of the API. Each works with a trailing slash too, without a redirect."""

from django.urls import URLPattern, path, re_path

from orders.api import docs
from orders.api.tokens import RefreshView, TokenView
from orders.api.views import ApiView, EventsView, OrdersView, OrderView, StatusView, UnknownCall


def call(route: str, view: type[ApiView], name: str) -> list[URLPattern]:
    """Return a call's two paths; the one without the slash is the one that answers name."""
    return [
        path(f"{route}/", view.as_view()),
        path(route, view.as_view(), name=name),
    ]


urlpatterns = [
    *call("orders", OrdersView, "orders"),
    *call("orders/<str:order_id>", OrderView, "order"),
    *call("orders/<str:order_id>/status", StatusView, "order-status"),
    *call("orders/<str:order_id>/events", EventsView, "order-events"),
    *call("auth/token", TokenView, "token"),
    *call("auth/token/refresh", RefreshView, "token-refresh"),
    path("schema", docs.schema, name="schema"),
    path("schema/", docs.schema),
    path("docs", docs.page, name="docs"),
    path("docs/", docs.page),
    re_path("", UnknownCall.as_view()),
]
