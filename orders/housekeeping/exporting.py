"""All that we hold on a customer, as one document that they may have."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from orders import queries
from orders.housekeeping.people import Person
from orders.models import IdempotencyKey, Order, OrderEvent, RateCount, User
from orders.signin import closing
from orders.signin.sessions import BEGAN, SEEN

Document = dict[str, Any]

# What stays with us of rows that are given out whole, so that a new column is given out, too.
_WITHHELD: dict[type[Model], frozenset[str]] = {
    Order: frozenset({"hold_reason", "held_since"}),  # why staff hesitate
    User: frozenset({"password"}),
    TOTPDevice: frozenset({"key", "user_id"}),  # makes codes
    StaticDevice: frozenset({"user_id"}),
    IdempotencyKey: frozenset({"fingerprint", "body", "scope"}),  # copies of what the order says
}


def document(person: Person, *, with_staff_notes: bool = False) -> Document:
    """Return what we hold on the customer, for JSON; empty lists when that is nothing.

    Rows come under their columns' names. What happened to an order is told as its customer may
    hear it, and what staff wrote down only ``with_staff_notes``: that may name other people.
    """
    with transaction.atomic():
        orders = person.orders().order_by("pk").prefetch_related("items", "events", "notes")
        keys = person.idempotency_keys([order.pk for order in orders])
        return {
            "made_at": timezone.now(),
            "emails": sorted(person.emails),
            "accounts": [_account(user) for user in person.accounts],
            "orders": [_order(order, person, with_staff_notes) for order in orders],
            "failed_sign_ins": _failed_sign_ins(person.names()),
            "idempotency_keys": _rows(keys.order_by("pk")),
        }


def summary(document: Document) -> str:
    """Return how much is held, in words."""
    return ", ".join(
        f"{len(rows)} {name.replace('_', ' ')}" for name, rows in _held(document).items()
    )


def is_empty(document: Document) -> bool:
    """Tell whether a document says that nothing is held."""
    return not any(_held(document).values())


def _held(document: Document) -> dict[str, list[Document]]:
    """Return the rows of a document by what they are: all but what it says of itself."""
    return {name: rows for name, rows in document.items() if name not in ("made_at", "emails")}


def _row(row: Model) -> Document:
    withheld = _WITHHELD.get(type(row), frozenset())
    names = (each.attname for each in row._meta.concrete_fields)
    return {name: getattr(row, name) for name in names if name not in withheld}


def _rows(rows: Iterable[Model]) -> list[Document]:
    return [_row(each) for each in rows]


def _account(user: User) -> Document:
    history = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk)
    )
    return _row(user) | {
        "second_factors": _rows(TOTPDevice.objects.filter(user=user)),
        "recovery_codes": _rows(StaticDevice.objects.filter(user=user)),
        "sessions": _sessions(user),
        "calls_counted": _rows(RateCount.objects.filter(key__in=closing.rate_keys(user))),
        "changed_by_staff": [
            {"at": each.action_time, "what": each.get_change_message()}
            for each in history.order_by("pk")
        ],
    }


def _sessions(user: User) -> list[Document]:
    found = closing.sessions_of(user)
    ends = Session.objects.filter(session_key__in=found).values_list("session_key", "expire_date")
    return [
        {
            "signed_in_at": _moment(found[key].get(BEGAN)),
            "seen_at": _moment(found[key].get(SEEN)),
            "ends_at": end,
        }
        for key, end in ends.order_by("expire_date")
    ]


def _order(order: Order, person: Person, with_staff_notes: bool) -> Document:
    mine = {user.pk for user in person.accounts}
    own = f"user:{order.owner_id}" if order.owner_id in mine else None
    return _row(order) | {
        "items": _rows(queries.items(order)),
        "timeline": [_event(each, own) for each in order.events.all()],
        "notes": [
            {"at": each.created_at, "text": each.text, "by_customer": each.author_id in mine}
            for each in order.notes.all()
            if with_staff_notes or each.author_id in mine
        ],
    }


def _event(event: OrderEvent, own: str | None) -> Document:
    return {
        "at": event.at,
        "kind": event.kind,
        "from_status": event.from_status,
        "to_status": event.to_status,
        "actor": queries.role_of_actor(event, own=own),
        "via": event.via,
        "data": queries.for_customers(event),
    }


def _failed_sign_ins(names: set[str]) -> list[Document]:
    """Return the failures without their addresses: those may be of whoever was guessing."""
    failed = AccessAttempt.objects.filter(closing.typed(names)).order_by("attempt_time")
    return [
        {"name": each.username, "last_at": each.attempt_time, "failures": each.failures_since_start}
        for each in failed
    ]


def _moment(seconds: object) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) else None
