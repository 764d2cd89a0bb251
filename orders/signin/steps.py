"""The two steps of a sign-in, a password and a code, and the failures of both counted alike."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import django_otp
from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import BACKEND_SESSION_KEY, login
from django.contrib.auth.signals import user_login_failed
from django.utils.crypto import constant_time_compare

from orders.models import User
from orders.signin import factors, known_browsers

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django_otp.plugins.otp_totp.models import TOTPDevice

HALF = "half_signed_in"  # in the session: whose password was right, and when
PATIENCE = 300  # seconds between the password and the code


def half_sign_in(request: HttpRequest, user: User) -> None:
    """Remember that the password was right. Nobody is signed in by that."""
    request.session[HALF] = {
        "user": user.pk,
        "password": user.get_session_auth_hash(),  # changes with the password
        "backend": getattr(user, "backend", ""),
        "at": time.time(),
    }


def waiting_for_code(request: HttpRequest) -> User | None:
    """Return who has yet to show a code: after the password, or in a session older than the app."""
    half = request.session.get(HALF)
    if half is not None and 0 <= time.time() - half["at"] <= PATIENCE:
        user = User.objects.filter(pk=half["user"], is_active=True).first()
        if user and constant_time_compare(half["password"], user.get_session_auth_hash()):
            user.backend = half["backend"]
            return user
    if isinstance(request.user, User) and not factors.is_satisfied(request):
        user = User.objects.get(pk=request.user.pk)
        user.backend = request.session.get(BACKEND_SESSION_KEY, "")
        return user if user.has_second_factor else None
    return None


def check_code(request: HttpRequest, user: User, code: str) -> TOTPDevice:
    """Use a code up. Raises `CodeRefused`, having counted a wrong one as a wrong password is.

    While the user is locked out nothing is looked at; the answer becomes the page that says so.
    """
    credentials = {"username": user.get_username()}
    if not AxesProxyHandler.is_allowed(request, credentials):
        state: Any = request
        state.axes_locked_out, state.axes_credentials = True, credentials
        raise factors.CodeRefused
    try:
        return factors.check(user, code)
    except factors.CodeRefused as exc:
        if exc.wait is None:
            user_login_failed.send(__name__, credentials=credentials, request=request)
        raise


def sign_in(request: HttpRequest, user: User, device: TOTPDevice | None) -> None:
    """Sign a user in who has shown all that we ask; the session gets a new key and a new time."""
    request.session.pop(HALF, None)
    login(request, user, backend=user.backend or None)
    if device is not None:
        django_otp.login(request, device)


def remember_browser(request: HttpRequest, response: HttpResponse) -> None:
    """Note in the browser that its user has signed in."""
    known_browsers.remember(request, response, request.user.get_username())
