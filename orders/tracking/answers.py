"""What all answers to customers share: their headers, and the pages for when there is no order."""

import sys
from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any

import structlog
from csp.decorators import csp
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from orders.errors import OrderNotFound
from orders.models import User
from orders.signin import factors
from orderservice.content_security import CUSTOMERS_FORMS, CUSTOMERS_PAGES
from orderservice.database import RETRY_AFTER

View = Callable[..., HttpResponseBase]

log = structlog.get_logger(__name__)


def shown(view: View) -> View:
    """Let a view show an order: its id goes nowhere else, and what goes wrong is a page, too."""
    return _answering(view, CUSTOMERS_PAGES, "no-referrer")


def form(view: View) -> View:
    """Let a view have forms.

    A browser that may send no referrer sends no origin either, and then nobody could tell our own
    forms from others'. With ``strict-origin`` it names the host alone, not the path.
    """
    return _answering(view, CUSTOMERS_FORMS, "strict-origin")


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return what stands around every page with a form: the shop, and who is signed in."""
    return {"shop": settings.SHOP_NAME, "viewer": viewer(request)}


def viewer(request: HttpRequest) -> User | None:
    """Return who is signed in and has shown all that we ask; None for everybody else."""
    user = request.user
    return user if isinstance(user, User) and factors.is_satisfied(request) else None


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Answer what fails outside any view, as a session does that can't be read."""
    failure = sys.exception()

    def answer(request: HttpRequest) -> HttpResponse:
        if isinstance(failure, OperationalError | InterfaceError):
            return _unavailable(request, failure)
        return _page(request, "failed", HTTPStatus.INTERNAL_SERVER_ERROR)

    return shown(answer)(request)


def csrf_failure(request: HttpRequest) -> HttpResponseBase:
    """Answer a form without its token, as a second tab sends it after a sign-in."""

    def answer(request: HttpRequest) -> HttpResponse:
        return _page(request, "stale", HTTPStatus.FORBIDDEN)

    return form(answer)(request)


def is_ours(request: HttpRequest) -> bool:
    """Tell whether a request is for a page of ours."""
    home = reverse("track")
    return request.path == home or request.path.startswith(f"{home}/")


def _answering(view: View, policy: Mapping[str, Any], referrer: str) -> View:
    @csp(dict(policy))
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response: HttpResponseBase = view(request, *args, **kwargs)
        except (OrderNotFound, Http404):
            response = _page(request, "absent", HTTPStatus.NOT_FOUND)
        except (OperationalError, InterfaceError) as exc:
            response = _unavailable(request, exc)
        response.headers.setdefault("Cache-Control", "private, no-cache")
        response["Referrer-Policy"] = referrer
        response["X-Robots-Tag"] = "noindex"
        patch_vary_headers(response, ["Cookie"])
        return response

    return answer


def _unavailable(request: HttpRequest, failure: Exception) -> HttpResponse:
    log.warning("database_unavailable", exc_info=failure)
    response = _page(request, "unavailable", HTTPStatus.SERVICE_UNAVAILABLE)
    response["Retry-After"] = str(RETRY_AFTER)
    return response


def _page(request: HttpRequest, name: str, status: HTTPStatus) -> HttpResponse:
    """Return a page that says the same to everybody, whatever they asked for."""
    return render(
        request, f"orders/tracking/{name}.html", {"shop": settings.SHOP_NAME}, status=status
    )
