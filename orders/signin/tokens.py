"""Tokens that stand for a sign-in: a short one to call with, and one to renew the pair with.

They are signed and not kept, so each call looks the user up. What revokes them is a change of what
they were made from: the password, the user's epoch, or that the user is active. A second factor
that is set up later asks for new ones, too. docs/adr/0011-tokens.md says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from orders.models import User
from orders.signin import factors

CUSTOMERS = timedelta(days=30)  # since the password was shown; after that it is asked for again


class TokenRefused(Exception):
    """The token is malformed, too old, revoked, or of nobody who may sign in."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A token to call with, and one to renew both with; ``seconds`` until the first ends."""

    access: str
    refresh: str
    seconds: int


def issue(user: User, *, with_second_factor: bool) -> Pair:
    """Return tokens for somebody who has just shown all that we ask."""
    return _pair(user, since=datetime.now(UTC), with_second_factor=with_second_factor)


def renew(refresh: str) -> Pair:
    """Return new tokens for the same sign-in; raise `TokenRefused`.

    The sign-in itself gets no younger: when it is too old, the password is asked for again.
    """
    token = _read(RefreshToken, refresh)
    since = datetime.fromtimestamp(token["auth_time"], UTC)
    return _pair(_holder(token), since=since, with_second_factor=token["otp"])


def holder(access: str) -> User:
    """Return whom a token to call with stands for; raise `TokenRefused`."""
    return _holder(_read(AccessToken, access))


def revoke(user: User) -> None:
    """Make all tokens of the user open nothing any more."""
    User.objects.filter(pk=user.pk).update(token_epoch=F("token_epoch") + 1)


def _pair(user: User, *, since: datetime, with_second_factor: bool) -> Pair:
    token = RefreshToken()
    token["sub"] = str(user.public_id)
    token["auth_time"] = int(since.timestamp())
    token["otp"] = with_second_factor
    token["stamp"] = _stamp(user)
    end = since + (timedelta(seconds=settings.SESSION_COOKIE_AGE) if user.is_staff else CUSTOMERS)
    _end_by(token, end)
    access = token.access_token
    _end_by(access, end)
    left = datetime.fromtimestamp(access["exp"], UTC) - datetime.now(UTC)
    return Pair(str(access), str(token), max(0, round(left.total_seconds())))


def _end_by(token: Token, end: datetime) -> None:
    token["exp"] = min(token["exp"], int(end.timestamp()))


def _read(kind: type[Any], text: str) -> Any:
    try:
        return kind(text)
    except (TokenError, ValueError) as exc:
        raise TokenRefused from exc


def _holder(token: Token) -> User:
    """Return the token's user. Raises `TokenRefused` for one whom the token no longer stands for.

    A member of staff whose factor was not shown at this sign-in is one, where one is set or asked
    for by now.
    """
    try:
        user = User.objects.get(public_id=UUID(token["sub"]), is_active=True)
        stamp, shown = str(token["stamp"]), bool(token["otp"])
    except (KeyError, ValueError, TypeError, AttributeError, User.DoesNotExist) as exc:
        raise TokenRefused from exc
    if not constant_time_compare(stamp, _stamp(user)):
        raise TokenRefused
    if not shown and (user.has_second_factor or factors.is_required(user)):
        raise TokenRefused
    return user


def _stamp(user: User) -> str:
    """Return what changes with the password, and with the user's epoch."""
    made_from = f"{user.get_session_auth_hash()}:{user.token_epoch}"
    return salted_hmac("orders.signin.tokens", made_from, algorithm="sha256").hexdigest()[:32]
