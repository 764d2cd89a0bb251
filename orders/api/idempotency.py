"""``Idempotency-Key``: a creation that is repeated gets the first one's answer.

The key is written in the order's own transaction, so that it exists exactly when the order does.
The unique index on it is the lock: of two requests at once the second waits there for the first to
commit, and then finds its answer.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from functools import partial

from django.db import IntegrityError
from django.utils import timezone
from psycopg.errors import UniqueViolation
from rest_framework.exceptions import APIException, ErrorDetail

from orders import lifecycle, retention
from orders.actor import Actor
from orders.api import representation
from orders.lifecycle import OrderDraft
from orders.models import IdempotencyKey
from orders.queries import OrderDetails

HEADER = "Idempotency-Key"

_KEY = re.compile(r"[\x20-\x7e]{1,255}")


class KeyReused(APIException):
    """The key has been used for another payload."""

    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = "This idempotency key was used with another payload"


class _KeyTaken(Exception):
    """A request at the same time has used the key, and has been a moment faster."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A key in its scope, and what it is used for."""

    scope: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Placed:
    """The answer to a creation, and whether it is that of an earlier request."""

    body: dict[str, object]
    replayed: bool


def faults(key: str | None) -> dict[str, list[ErrorDetail]]:
    """Return what is wrong with the header, as a serializer's errors."""
    if key is None or _KEY.fullmatch(key):
        return {}
    return {HEADER: [ErrorDetail("Must be 1 to 255 printable ASCII characters", "invalid")]}


def claim(key: str | None, *, scope: str, draft: OrderDraft) -> Claim | None:
    """Return what a header without `faults` claims, None without one."""
    return None if key is None else Claim(scope, key, _fingerprint(draft))


def place(draft: OrderDraft, *, actor: Actor, claim: Claim | None) -> Placed:
    """Place the order, or return the answer that the key stands for; raise `KeyReused`.

    Raises what `orders.lifecycle.place` does. A replay asks nobody about stock.
    """
    while True:
        body = None if claim is None else _stored(claim)
        if body is not None:
            return Placed(body, replayed=True)
        try:
            if claim is None:
                order = lifecycle.place(draft, actor=actor)
            else:
                order = lifecycle.place(draft, actor=actor, in_transaction=partial(_store, claim))
        except _KeyTaken:
            continue
        return Placed(representation.order(order), replayed=False)


def _stored(claim: Claim) -> dict[str, object] | None:
    """Return the answer that the key stands for; a key that has expired counts as absent."""
    kept = IdempotencyKey.objects.filter(
        scope=claim.scope, key=claim.key, expires_at__gt=timezone.now()
    ).first()
    if kept is None:
        return None
    if bytes(kept.fingerprint) != claim.fingerprint:
        raise KeyReused
    body: dict[str, object] = kept.body
    return body


def _store(claim: Claim, order: OrderDetails) -> None:
    """Write the key and the answer; raise `_KeyTaken` when somebody else has just done so."""
    now = timezone.now()
    same = IdempotencyKey.objects.filter(scope=claim.scope, key=claim.key)
    same.filter(expires_at__lte=now).delete()
    try:
        IdempotencyKey.objects.create(
            scope=claim.scope,
            key=claim.key,
            fingerprint=claim.fingerprint,
            order_id=order.number,
            body=representation.order(order),
            expires_at=now + retention.IDEMPOTENCY_KEYS,
        )
    except IntegrityError as exc:
        if isinstance(exc.__cause__, UniqueViolation):
            raise _KeyTaken from exc
        raise


def _fingerprint(draft: OrderDraft) -> bytes:
    """Return the SHA-256 of what was asked for, as validated; whose it is stands in the scope."""
    payload = {
        "full_name": draft.full_name,
        "email": draft.email,
        "address": draft.address,
        "city": draft.city,
        "zip_code": draft.zip_code,
        "customer_reference": draft.customer_reference,
        "items": [asdict(item) for item in draft.items],
    }
    return hashlib.sha256(json.dumps(payload, sort_keys=True, default=str).encode()).digest()
