"""``/api/auth/token``: a password, and a code where a second factor is set, for a pair of tokens.

The attempts are those of the admin's sign-in: one lock-out counts both.
"""

import math
from typing import Any, NoReturn

from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from orders.api.fields import Text
from orders.api.serializers import Strict
from orders.api.views import ApiView
from orders.models import User
from orders.signin import factors, steps, tokens
from orders.signin.lockout import LONGEST_NAME, locked_until
from orderservice.rates import Scope

LONGEST_PASSWORD = 1024  # characters; hashing more would be work for nothing
LONGEST_TOKEN = 4096  # characters


class SignInRefused(APIException):
    """Name and password, or the code, are wrong; or the user may not sign in."""

    status_code = 401
    default_code = "invalid_credentials"
    default_detail = "The username or the password is wrong"
    auth_header = "Bearer"


class LockedOut(APIException):
    """Too many wrong attempts: nothing is looked at for a while."""

    status_code = 429
    default_code = "locked_out"
    default_detail = "There were too many wrong attempts; wait before the next"

    def __init__(self, wait: float) -> None:
        super().__init__()
        self.wait = max(1, math.ceil(wait))


class Secret(serializers.CharField):
    """A JSON string that is taken as it is, spaces and all."""

    default_error_messages = Text.default_error_messages

    def to_internal_value(self, data: Any) -> str:
        """Return the string."""
        if not isinstance(data, str):
            self.fail("invalid")
        return data


class SignInSerializer(Strict):
    """Who signs in; ``code`` is of the app, or a recovery code."""

    username = Text(max_length=LONGEST_NAME)
    password = Secret(max_length=LONGEST_PASSWORD, trim_whitespace=False)
    code = Text(max_length=factors.LONGEST_CODE, required=False)


class RefreshSerializer(Strict):
    """The longer-lived token of a pair."""

    refresh = Secret(max_length=LONGEST_TOKEN, trim_whitespace=False)


class TokenView(ApiView):
    """``/api/auth/token``."""

    authentication_classes = []
    throttle_scopes = {"POST": Scope.TOKENS}

    def post(self, request: Request) -> Response:
        """Sign somebody in."""
        body = SignInSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return _issued(self._sign_in(request, **body.validated_data))

    def _sign_in(
        self, request: Request, username: str, password: str, code: str = ""
    ) -> tokens.Pair:
        _require_no_lock(request, username)
        user = authenticate(request._request, username=username, password=password)
        if not isinstance(user, User):
            _refuse(request, username, SignInRefused())
        if user.has_second_factor:
            self._check(request, user, code)
        elif factors.is_required(user):
            detail = "Set a second factor up in the admin first: staff must have one here"
            raise SignInRefused(detail, "second_factor_required")
        user_logged_in.send(User, request=request._request, user=user, for_tokens=True)
        return tokens.issue(user, with_second_factor=user.has_second_factor)

    def _check(self, request: Request, user: User, code: str) -> None:
        """Use the code up; a password alone is not enough for whoever has a second factor."""
        if not code:
            raise SignInRefused("A code is needed, too, as `code`", "second_factor_required")
        try:
            steps.check_code(request._request, user, code)
        except factors.CodeRefused as exc:
            if exc.wait is not None:
                raise LockedOut(exc.wait) from exc
            _refuse(request, user.get_username(), SignInRefused(str(exc), "invalid_code"))


class RefreshView(ApiView):
    """``/api/auth/token/refresh``."""

    authentication_classes = []
    throttle_scopes = {"POST": Scope.TOKENS}

    def post(self, request: Request) -> Response:
        """Renew a pair of tokens."""
        body = RefreshSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            return _issued(tokens.renew(body.validated_data["refresh"]))
        except tokens.TokenRefused as exc:
            raise SignInRefused("The token is not valid", "invalid_token") from exc


def _issued(pair: tokens.Pair) -> Response:
    response = Response({"access": pair.access, "refresh": pair.refresh, "expiresIn": pair.seconds})
    response["Cache-Control"] = "no-store"
    return response


def _require_no_lock(request: Request, username: str) -> None:
    until = locked_until(request._request, username)
    if until is not None:
        raise LockedOut((until - timezone.now()).total_seconds())


def _refuse(request: Request, username: str, refusal: SignInRefused) -> NoReturn:
    """Say that it was wrong, or that this was once too often."""
    _require_no_lock(request, username)
    raise refusal
