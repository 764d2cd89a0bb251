"""Where everything is."""

from django.contrib import admin
from django.urls import include, path

from orders.admin.dashboard import page as dashboard
from orders.api.views import UnknownCall
from orderservice.health import health

urlpatterns = [
    path("health", health, name="health"),
    path("admin/inventory/", admin.site.admin_view(dashboard.inventory), name="inventory_health"),
    path("admin/", admin.site.urls),
    path("api", UnknownCall.as_view()),
    path("api/", include("orders.api.urls")),
]

# What Django itself refuses: problems below /api, pages elsewhere.
handler400 = "orders.api.problems.bad_request"
handler500 = "orders.api.problems.server_error"
