"""What may be a customer's, and only a person can tell: for what to look, and where it stands.

An address on an account's order may be their mother's, a username may be a word, and anybody may
call themselves "on hold". None of it is erased unless somebody has looked; and once the orders are
erased, nobody can tell any more what to look for.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, QuerySet
from django.db.models.functions import Lower

from orders import lifecycle
from orders.housekeeping import mentions
from orders.housekeeping.mentions import SHOWN, Trace
from orders.housekeeping.people import Person

MOST = 20  # names, and as many addresses, of one customer: those that most orders bear


@dataclass(frozen=True, slots=True)
class Words:
    """What a customer's accounts and orders bear; of what is ``unsought`` the number alone."""

    addresses: frozenset[str]
    names: frozenset[str]
    unsought: int


def words_of(person: Person) -> Words:
    """Return what to look for. To be called before anything is erased."""
    own = {*person.emails, *person.shared}
    known = {each.lower() for each in own}
    usernames = {each.username for each in person.accounts if each.username.lower() not in known}
    addresses = {each for each in usernames if "@" in each}
    called = {each.get_full_name() for each in person.accounts} - {""}
    typed = [each for each in _borne(person, "email", Lower("email")) if each not in known]
    names = _borne(person, "full_name", F("full_name"))
    return Words(
        frozenset({*own, *addresses, *typed[:MOST]}),
        frozenset({*(usernames - addresses), *called, *names[:MOST]}),
        len(typed[MOST:]) + len(names[MOST:]),
    )


@dataclass(frozen=True, slots=True)
class Unsure:
    """What may be theirs, and is left: accounts and orders that bear an address, and texts."""

    others: Sequence[Trace] = ()
    texts: Sequence[Trace] = ()
    unsought: int = 0


def find(person: Person, words: Words) -> Unsure:
    """Return all that bears the words and is not known to be theirs."""
    everywhere = mentions.find(words.addresses | words.names)
    return Unsure(bearing(person, words.addresses), everywhere, words.unsought)


def bearing(person: Person, addresses: Collection[str]) -> list[Trace]:
    """Return the accounts and orders of one of the addresses that are not known to be theirs."""
    traces = []
    for address in sorted(addresses):
        accounts = person.accounts_of_others([address]).order_by("pk")
        orders = person.orders_of_others([address]).order_by("pk")
        whose = orders.values_list("pk", "owner__username")
        traces += [
            _trace(address, accounts, [each.username for each in accounts[:SHOWN]]),
            _trace(
                address,
                orders,
                [f"#{number} of {username or 'a guest'}" for number, username in whose[:SHOWN]],
            ),
        ]
    return [each for each in traces if each.rows]


def _borne(person: Person, column: str, value: F | Lower) -> list[str]:
    """Return the values of a column of the person's orders, those that most of them bear first."""
    naming = person.orders().exclude(**{column: lifecycle.ERASED[column]}).annotate(borne=value)
    counted = naming.values("borne").annotate(orders=Count("pk")).order_by("-orders", "borne")
    return [str(each["borne"]) for each in counted]


def _trace(word: str, rows: QuerySet[Any], first: Sequence[str]) -> Trace:
    return Trace(word, str(rows.model._meta.verbose_name_plural), rows.count(), tuple(first))
