"""Whether the service is alive."""

from datetime import UTC, datetime

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe


@csrf_exempt  # so that another method is told what is wrong with it
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Say that this process serves; asks no dependency, so that it answers while they are down."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return JsonResponse({"status": "ok", "service": "order-service", "timestamp": now})
