"""The control's addresses: ours, as far as the benchmark asks for them."""

from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from rest_framework.routers import SimpleRouter

from benchmarks.usual.api import OrderViewSet

router = SimpleRouter(trailing_slash=False)
router.register("orders", OrderViewSet)


def health(request: HttpRequest) -> JsonResponse:
    """Say that the process is there."""
    return JsonResponse({"status": "ok"})


urlpatterns = [path("api/", include(router.urls)), path("health", health)]
