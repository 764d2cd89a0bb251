"""Browsers that somebody has signed in from before, known by a signed cookie."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core import signing
from django.utils.crypto import salted_hmac

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from rest_framework.request import Request

COOKIE = "known_browser"
AGE = timedelta(days=90)
MOST = 8  # people who share a browser

_signer = signing.TimestampSigner(salt="orders.signin.known_browser")


def is_known(request: HttpRequest | Request, username: str) -> bool:
    """Tell whether this browser has signed in under that name within `AGE`."""
    return _mark(username) in _marks(request)


def remember(request: HttpRequest, response: HttpResponse, username: str) -> None:
    """Have the browser remember that it has signed in; its page learns nothing from the cookie."""
    mine = _mark(username)
    others = [mark for mark in _marks(request) if mark != mine]
    response.set_cookie(
        COOKIE,
        _signer.sign(".".join([mine, *others][:MOST])),
        max_age=AGE,
        path=settings.SESSION_COOKIE_PATH,  # every door has a sign-in
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _marks(request: HttpRequest | Request) -> list[str]:
    try:
        return _signer.unsign(request.COOKIES.get(COOKIE, ""), max_age=AGE).split(".")
    except signing.BadSignature:
        return []


def _mark(username: str) -> str:
    """Return what stands for a name: the cookie must not show it to the next at the screen."""
    return salted_hmac("orders.signin.known_browser", username, algorithm="sha256").hexdigest()[:32]
