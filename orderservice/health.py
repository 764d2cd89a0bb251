"""Whether the service is alive."""

from datetime import UTC, datetime

from django.http import HttpRequest, JsonResponse

from orders.api.problems import read_only


@read_only
def health(request: HttpRequest) -> JsonResponse:
    """Say that this process serves; asks no dependency, so that it answers while they are down."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return JsonResponse({"status": "ok", "service": "order-service", "timestamp": now})
