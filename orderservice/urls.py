"""Where everything is."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponseBase
from django.urls import include, path

from orders.admin.dashboard import page as dashboard
from orders.api import problems
from orders.api.views import UnknownCall
from orders.tracking import answers
from orders.tracking.views import track
from orderservice.health import health
from orderservice.metrics.view import metrics
from orderservice.readiness import ready

urlpatterns = [
    path("health", health, name="health"),
    path("health/", health),
    path("health/ready", ready, name="ready"),
    path("health/ready/", ready),
    path("metrics", metrics, name="metrics"),
    path("admin/inventory/", admin.site.admin_view(dashboard.inventory), name="inventory_health"),
    path("admin/", admin.site.urls),
    path("api", UnknownCall.as_view()),
    path("api/", include("orders.api.urls")),
    path("track", track, name="track"),
    path("track/", include("orders.tracking.urls")),
]


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Answer what fails outside any view: customers in the shop's look."""
    if answers.is_ours(request):
        return answers.server_error(request)
    return problems.server_error(request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Answer a form without its token: customers in the shop's look."""
    if answers.is_ours(request):
        return answers.csrf_failure(request)
    return problems.csrf_failure(request)


# What Django itself refuses: problems below /api, pages elsewhere.
handler400 = "orders.api.problems.bad_request"
handler500 = server_error
