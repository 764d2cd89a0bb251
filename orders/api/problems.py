"""Every failure of the API as a problem (RFC 9457): one handler maps codes to answers.

Answers tell what the caller can act on, never how the service is made.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from http import HTTPStatus
from itertools import islice
from typing import Any

import structlog
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import InterfaceError, OperationalError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseBase,
    JsonResponse,
    UnreadablePostError,
)
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.response import Response
from rest_framework.settings import api_settings

from orders.api.parsers import BodyTooLarge
from orders.api.representation import money
from orders.errors import (
    CatalogueUnavailable,
    InsufficientStock,
    InventoryRefused,
    InventoryUnavailable,
    OrderError,
    OrderNotFound,
    PriceChanged,
    TooManyOpenOrders,
)
from orderservice.database import RETRY_AFTER

MEDIA_TYPE = "application/problem+json"
NO_DATABASE = (503, "database_unavailable", "The database can't be asked right now; try again")
MOST_FAULTS = 200  # that an answer names: a body of 64 KiB can have thousands
REFUSED_RETRY = 30  # seconds: a refusal is a matter of configuration, and somebody must see to it

_STATUS = {
    "not_found": HTTPStatus.NOT_FOUND,
    "forbidden": HTTPStatus.FORBIDDEN,
    "illegal_transition": HTTPStatus.CONFLICT,
    "on_hold": HTTPStatus.CONFLICT,
    "not_pending": HTTPStatus.CONFLICT,
    "being_confirmed": HTTPStatus.CONFLICT,
    "stale_version": HTTPStatus.PRECONDITION_FAILED,
    "insufficient_stock": HTTPStatus.CONFLICT,
    "too_many_open_orders": HTTPStatus.TOO_MANY_REQUESTS,
    "price_changed": HTTPStatus.CONFLICT,
    "catalogue_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "inventory_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "inventory_refused": HTTPStatus.SERVICE_UNAVAILABLE,
}

log = structlog.get_logger(__name__)


def problem(status: int, code: str, detail: str, **more: object) -> dict[str, object]:
    """Return a problem's members; ``instance`` is the request's id, as in ``X-Request-ID``."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        "instance": structlog.contextvars.get_contextvars().get("request_id"),
        "code": code,
    } | more


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    """Answer any exception that a call ends with; log those that nobody expected."""
    match exc:
        case OrderError():
            return _order_error(exc)
        case ValidationError():
            errors = list(islice(faults(exc.detail), MOST_FAULTS))
            return _answer(400, "invalid", "The request is not valid", errors=errors)
        case Http404() | NotFound():
            return _order_error(OrderNotFound())
        case APIException():
            return _api_exception(exc)
        case PermissionDenied():
            return _answer(403, "forbidden", "You may not do this")
        case RequestDataTooBig():
            return _api_exception(BodyTooLarge())
        case SuspiciousOperation() | BadRequest() | UnreadablePostError():
            return _answer(400, "malformed_request", "The request can't be understood")
        case OperationalError() | InterfaceError():
            log.warning("database_unavailable", exc_info=exc)
            return _answer(*NO_DATABASE, retry_after=RETRY_AFTER)
        case _:
            log.error("unhandled", exc_info=exc)
            return _answer(500, "internal_error", "Something went wrong on our side")


def faults(detail: Any, field: str = "") -> Iterator[dict[str, str]]:
    """Yield each fault of a validation with its place, as ``items[0].quantity``."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from faults(inner, _inside(field, name))
    elif isinstance(detail, Sequence) and not isinstance(detail, str):
        for inner in detail:
            yield from faults(inner, field)
    else:
        yield {"field": field, "code": detail.code, "detail": str(detail)}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer what Django itself refuses, before any call of ours is reached."""
    if not _is_ours(request):
        # Not Django's own page: that looks for a CSRF token in the form that can't be read.
        return HttpResponseBadRequest(
            "The request can't be understood.\n", content_type="text/plain; charset=utf-8"
        )
    return _plain(problem(400, "malformed_request", "The request can't be understood"))


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Answer what fails outside any call of ours; a database that can't be asked is a 503."""
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        status, code, detail = NO_DATABASE
        answer = (
            _plain(problem(status, code, detail))
            if _is_ours(request)
            else HttpResponse(detail, status=status)
        )
        answer["Retry-After"] = str(RETRY_AFTER)
        return answer
    if not _is_ours(request):
        return defaults.server_error(request)
    return _plain(problem(500, "internal_error", "Something went wrong on our side"))


def csrf_failure(request: HttpRequest) -> HttpResponseBase:
    """Answer a form, or a call with a session, that does not carry its token."""
    if not _is_ours(request):
        return HttpResponse(
            "This form is out of date. Go back, load the page again, and repeat it.\n",
            status=403,
            content_type="text/plain; charset=utf-8",
        )
    return _plain(problem(403, "csrf_failed", "A call with a session must carry its CSRF token"))


def read_only(view: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Refuse other methods as the API's calls do, and not for want of a CSRF token."""

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponseBase:
        if request.method in ("GET", "HEAD"):
            return view(request)
        return method_not_allowed(request, ["GET", "HEAD"])

    return guarded


def method_not_allowed(request: HttpRequest, allowed: Sequence[str]) -> JsonResponse:
    """Answer a method that a page does not have."""
    detail = f'Method "{request.method}" not allowed.'
    response = _plain(problem(405, "method_not_allowed", detail))
    response["Allow"] = ", ".join(allowed)
    return response


def _order_error(exc: OrderError) -> Response:
    status = _STATUS[exc.code]
    match exc:
        case OrderNotFound():  # the same words for what is absent and for what may not be known
            return _answer(status, exc.code, "Not found")
        case InsufficientStock(shortages=shortages):
            items = [
                {
                    "productId": short.product_id,
                    "requested": short.requested,
                    "available": short.available,
                }
                for short in shortages
            ]
            return _answer(status, exc.code, str(exc), items=items)
        case PriceChanged(changes=changes):
            differences = [
                {
                    "productId": change.product_id,
                    "sent": money(change.sent),
                    "current": None if change.current is None else money(change.current),
                }
                for change in changes
            ]
            return _answer(status, exc.code, str(exc), items=differences)
        case (
            InventoryUnavailable(retry_after=seconds)
            | CatalogueUnavailable(retry_after=seconds)
            | TooManyOpenOrders(retry_after=seconds)
        ):
            return _answer(status, exc.code, str(exc), retry_after=seconds)
        case InventoryRefused():
            return _answer(status, exc.code, str(exc), retry_after=REFUSED_RETRY)
        case _:
            return _answer(status, exc.code, str(exc))


def _api_exception(exc: APIException) -> Response:
    response = _answer(exc.status_code, str(exc.get_codes()), str(exc.detail))
    challenge = getattr(exc, "auth_header", None)
    if challenge:
        response["WWW-Authenticate"] = challenge
    wait = getattr(exc, "wait", None)
    if wait:
        response["Retry-After"] = str(int(wait))
    return response


def _answer(
    status: int, code: str, detail: str, *, retry_after: int | None = None, **more: object
) -> Response:
    response = Response(problem(status, code, detail, **more), status, content_type=MEDIA_TYPE)
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response


def _plain(members: dict[str, Any]) -> JsonResponse:
    return JsonResponse(members, status=members["status"], content_type=MEDIA_TYPE)


def _is_ours(request: HttpRequest) -> bool:
    return request.path == "/api" or request.path.startswith("/api/")


def _inside(field: str, name: str | int) -> str:
    if name == api_settings.NON_FIELD_ERRORS_KEY:
        return field
    if isinstance(name, int):
        return f"{field}[{name}]"
    return f"{field}.{name}" if field else name
