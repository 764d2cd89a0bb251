"""Closing an account for good: nothing signs in to it any more, and it names nobody."""

from __future__ import annotations

import uuid

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from orders.models import RateCount, User
from orders.signin import factors, tokens
from orders.signin.session_keys import SessionStore
from orders.signin.steps import HALF
from orderservice.rates import Scope

_PREFIX = "erased-"
_AT_ONCE = 1_000  # sessions that are looked into at a time


def closed() -> QuerySet[User]:
    """Return the accounts that name nobody any more."""
    name = Concat(Value(_PREFIX), Cast("pk", CharField()))
    return User.objects.filter(username=name, is_active=False, email="")


def close(user: User) -> None:
    """Erase who an account is of, and all by which somebody signs in to it.

    The row stays, switched off, under a name that is made of its key: orders and their history
    point to it. It gets a new public id, for the shop knows the old one. To be called in a
    transaction.
    """
    tokens.revoke(user)
    factors.remove(user)
    Session.objects.filter(session_key__in=sessions_of(user)).delete()
    RateCount.objects.filter(key__in=rate_keys(user)).delete()
    named = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk)
    )
    named.update(object_repr=_name_of_none(user))
    user.username = _name_of_none(user)
    user.first_name = user.last_name = user.email = ""
    user.public_id = uuid.uuid4()
    user.last_login = None
    user.is_active = False
    user.set_unusable_password()
    user.save(
        update_fields=[
            "username",
            "first_name",
            "last_name",
            "email",
            "public_id",
            "last_login",
            "is_active",
            "password",
        ]
    )


def sessions_of(user: User) -> dict[str, dict[str, object]]:
    """Return what the user's sessions hold, by their keys, those that wait for a code too.

    A session says only in what it holds whose it is, so that all of them are looked into; they are
    a day's at most.
    """
    found = {}
    store = SessionStore()
    rows = Session.objects.values_list("session_key", "session_data")
    for key, data in rows.iterator(chunk_size=_AT_ONCE):
        held = store.decode(data)
        half = held.get(HALF) or {}
        if held.get(SESSION_KEY) == str(user.pk) or half.get("user") == user.pk:
            found[key] = held
    return found


def rate_keys(user: User) -> list[str]:
    """Return under which names the user's calls are counted."""
    return [f"{scope}:user:{user.pk}" for scope in Scope]


def forget_attempts(names: set[str]) -> int:
    """Delete the failed sign-ins under some names; return how many."""
    kept = (AccessAttempt, AccessFailureLog, AccessLog)
    return sum(model.objects.filter(typed(names)).delete()[0] for model in kept)


def typed(names: set[str]) -> Q:
    """Return what finds the sign-ins under some names, however they were capitalised."""
    found = Q(pk__in=[])
    for name in names:
        found |= Q(username__iexact=name)
    return found


def _name_of_none(user: User) -> str:
    return f"{_PREFIX}{user.pk}"
