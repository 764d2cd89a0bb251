"""Everybody who calls, with what each has in hand, and what an answer gives away."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from django.conf import settings
from django.utils import timezone
from rest_framework.test import APIClient

from orders.models import ApiKey, User
from orders.signin import tokens
from tests.api.calls import guest, key_of, signed_in, with_key
from tests.factories import staff
from tests.signin.people import with_app

MADE_UP = "3b241101-e2bb-4255-8caf-4136c566a962"  # the public id of no order


def pair(who: User, since: datetime | None = None) -> tokens.Pair:
    """Return tokens as if somebody had signed in for them then."""
    return tokens._pair(who, since=since or datetime.now(UTC), with_second_factor=False)


def with_token(token: str) -> APIClient:
    """Return a caller with a token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def by(credential: str, who: User) -> APIClient:
    """Return a caller who acts as a user, by one kind of credential."""
    match credential:
        case "key":
            return with_key(key_of(who))
        case "token":
            return with_token(pair(who).access)
        case _:
            return signed_in(who)


def without_standing(credential: str) -> APIClient:
    """Return a manager whose credential is not good, or not any more."""
    kind, _, fault = credential.partition(" ")
    who = staff("manager")
    client = guest() if kind == "no" else by(kind, who)
    match credential:
        case "key bad":
            client = with_key("abcdefgh." + "x" * 32)
        case "key expired":
            ApiKey.objects.update(expiry_date=timezone.now() - timedelta(seconds=1))
        case "key revoked":
            ApiKey.objects.update(revoked=True)
        case "token bad":
            client = with_token(pair(who).access[:-2])
        case "token expired":
            client = with_token(_expired(pair(who).access))
        case "token revoked":
            tokens.revoke(who)
        case "token refresh":
            client = with_token(pair(who).refresh)
        case "session bad":
            client.cookies["sessionid"] = "x" * 32
        case "session expired":
            client.session.flush()
        case "session revoked":
            who.set_password("another horse 9")
            who.save()
        case "session half":
            with_app(who)
    if fault == "inactive":
        User.objects.filter(pk=who.pk).update(is_active=False)
    return client


def told(answer: Any) -> tuple[int, dict[str, str], bytes]:
    """Return all that an answer gives away: status, headers and body, but for what always differs.

    That is the request's id, and how much of a rate is left.
    """
    headers = dict(answer.headers.items())
    request_id = headers.pop("X-Request-ID")
    if "RateLimit" in headers:
        headers["RateLimit"] = re.sub(r"[rt]=\d+", "", headers["RateLimit"])
    return answer.status_code, headers, answer.content.replace(request_id.encode(), b"")


def _expired(token: str) -> str:
    claims = jwt.decode(token, options={"verify_signature": False})
    late = claims | {"exp": int((datetime.now(UTC) - timedelta(seconds=1)).timestamp())}
    return jwt.encode(late, settings.SIMPLE_JWT["SIGNING_KEY"], algorithm="HS256")
