"""Who is calling: an API key's service user, a token's holder, or who is signed in to the site."""

import re
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from orders.models import ApiKey, User
from orders.signin import tokens
from orders.signin.factors import is_satisfied

_KEY = re.compile(r"([0-9A-Za-z]{1,8})\.[0-9A-Za-z]{1,128}")
_USE_IS_NOTED_EVERY = timedelta(minutes=1)


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """``Authorization: Api-Key <key>``; the caller acts as the key's user."""

    scheme = "Api-Key"

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        """Return the key's user and the key; None when the header is not for us.

        Notes on the key that it was used. Raises `AuthenticationFailed` for one that is malformed,
        unknown, revoked, expired or of an inactive user, without telling which.
        """
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != self.scheme.lower():
            return None
        key = _usable(text.strip())
        if key is None:
            raise AuthenticationFailed("The API key is not valid")
        _note_use(key)
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        """Return what a 401 asks for."""
        return self.scheme


class BearerAuthentication(authentication.BaseAuthentication):
    """``Authorization: Bearer <access token>``; the caller is whoever has signed in for it."""

    scheme = "Bearer"

    def authenticate(self, request: Request) -> tuple[User, str] | None:
        """Return the token's holder; None when the header is not for us.

        Raises `AuthenticationFailed` without telling why.
        """
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != self.scheme.lower():
            return None
        try:
            return tokens.holder(text.strip()), self.scheme
        except tokens.TokenRefused as exc:
            raise AuthenticationFailed("The token is not valid", code="invalid_token") from exc

    def authenticate_header(self, request: Request) -> str:
        """Return what a 401 asks for."""
        return self.scheme


class NoOtherScheme(authentication.BaseAuthentication):
    """Refuses credentials of a kind that is not known here, which would be a guest's otherwise."""

    def authenticate(self, request: Request) -> None:
        """Raise `AuthenticationFailed` when there is a header that nobody before has known."""
        if request.META.get("HTTP_AUTHORIZATION", "").strip():
            raise AuthenticationFailed(
                "Authorization must be an Api-Key or a Bearer token", code="unknown_scheme"
            )


class SessionAuthentication(authentication.SessionAuthentication):
    """The site's own session, whose unsafe calls must carry a CSRF token.

    It opens the API when it would open the admin's pages: with the second factor, where one is set.
    """

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        """Return who is signed in. Raises `AuthenticationFailed` until all is shown."""
        if settings.SESSION_COOKIE_NAME not in request._request.COOKIES:
            return None  # without looking into a session that nobody has
        signed_in: tuple[User, None] | None = super().authenticate(request)
        if signed_in is not None and not is_satisfied(request._request):
            raise AuthenticationFailed(
                "This session has yet to show its second factor", code="second_factor_required"
            )
        return signed_in

    def enforce_csrf(self, request: Request) -> None:
        """Raise `PermissionDenied` with a code of its own."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied as exc:
            raise PermissionDenied(
                "A call with a session must carry its CSRF token", code="csrf_failed"
            ) from exc


def _usable(text: str) -> ApiKey | None:
    match = _KEY.fullmatch(text)
    key = None if match is None else ApiKey.of_prefix(match[1])
    if (
        key is None
        or key.revoked
        or not key.is_valid(text)
        or key.has_expired
        or not key.user.is_active
    ):
        return None
    return key


def _note_use(key: ApiKey) -> None:
    """Write down when the key was last used, to the minute; of a burst one caller writes."""
    now = timezone.now()
    long_ago = now - _USE_IS_NOTED_EVERY
    if key.last_used_at is None or key.last_used_at < long_ago:
        unnoted = Q(last_used_at=None) | Q(last_used_at__lt=long_ago)
        ApiKey.objects.filter(unnoted, pk=key.pk).update(last_used_at=now)
