"""Erasing a customer: no table names them any more, and the books still add up.

What was ordered, what it cost and where the stock went is the shop's to keep, and names nobody.
Everything changes in one transaction, or nothing does.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from orders import lifecycle
from orders.actor import Actor
from orders.housekeeping import mentions, traces
from orders.housekeeping.mentions import Mentions
from orders.housekeeping.people import Person
from orders.housekeeping.traces import Unsure
from orders.models import Batch, BatchEntry, Order, User
from orders.signin import closing

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Erasure:
    """How many rows of each kind named the customer; none when it was done before.

    What is not known to be theirs is left as it is, and told: it is ``unsure``.
    """

    orders: int = 0
    notes: int = 0
    accounts: int = 0
    idempotency_keys: int = 0
    attempts: int = 0
    mentions: Mentions = field(default_factory=dict)
    unsure: Unsure = field(default_factory=Unsure)

    def __bool__(self) -> bool:
        return self != Erasure(unsure=self.unsure)


def unfinished(person: Person) -> list[Order]:
    """Return the customer's orders that nothing can be erased of yet, the oldest first."""
    return list(person.orders().filter(lifecycle.UNFINISHED).order_by("pk"))


def left(person: Person) -> list[int]:
    """Return the numbers of the customer's orders that still name somebody."""
    naming = person.orders().exclude(**lifecycle.ERASED)
    return list(naming.order_by("pk").values_list("pk", flat=True))


def of_others(person: Person, numbers: Collection[int]) -> list[int]:
    """Return those of the numbers that are not the customer's orders.

    What is erased already is nobody's, and left out: it may have been theirs, by an account or an
    address that an earlier run has erased, too.
    """
    erased = Order.objects.filter(**lifecycle.ERASED).exclude(lifecycle.UNFINISHED)
    for orders in (person.orders(), erased):
        numbers = set(numbers) - set(orders.filter(pk__in=numbers).values_list("pk", flat=True))
    return sorted(numbers)


def erase(
    person: Person,
    *,
    actor: Actor,
    texts: Collection[str] = (),
    rehearsal: bool = False,
    tell: Callable[[Unsure], None] = lambda unsure: None,
) -> Erasure:
    """Have nothing name the customer any more; return what did.

    That is their orders, the notes on these and the copies of the answers to their creation; their
    accounts, and all that signs in to them; and their e-mail addresses, and these ``texts``,
    wherever staff have typed them. A ``rehearsal`` takes everything back. What is unsure is what
    to ``tell`` before any of it is committed: whoever can't be told keeps all. Raises `Forbidden`,
    and `NotFinished` while one of the orders is open.
    """
    words = traces.words_of(person)
    erasure = Erasure()

    def beside(numbers: Sequence[int]) -> None:
        _erase_beside(person, numbers, {*person.emails, *texts}, erasure)
        erasure.unsure = traces.find(person, words)
        tell(erasure.unsure)
        transaction.set_rollback(rehearsal)

    numbers = person.orders().values_list("pk", flat=True)
    erased = lifecycle.erase(list(numbers), actor=actor, in_transaction=beside)
    erasure.orders = erased.orders
    erasure.notes += erased.notes
    if erasure and not rehearsal:
        log.info("customer_erased", orders=erasure.orders, accounts=erasure.accounts)
    return erasure


def _erase_beside(
    person: Person, numbers: Sequence[int], words: Collection[str], erasure: Erasure
) -> None:
    """Erase all that is not on the orders themselves; those are locked."""
    accounts = User.objects.filter(pk__in=[user.pk for user in person.accounts])
    open_ = accounts.exclude(pk__in=closing.closed().values("pk")).order_by("pk")
    for user in open_.select_for_update():
        closing.close(user)
        erasure.accounts += 1
    erasure.idempotency_keys, _ = person.idempotency_keys(numbers).delete()
    erasure.attempts = closing.forget_attempts(person.names())
    erasure.notes += _notes_of_batches(numbers).update(note=lifecycle.ERASED_NOTE)
    erasure.mentions = mentions.replace(words)


def _notes_of_batches(numbers: Sequence[int]) -> QuerySet[Batch]:
    """Return the batches that were of these orders alone, and whose note was for them."""
    entries = BatchEntry.objects.filter(order__in=numbers)
    others = BatchEntry.objects.filter(batch=OuterRef("pk")).exclude(order__in=numbers)
    noted = Batch.objects.exclude(note__in=["", lifecycle.ERASED_NOTE])
    return noted.filter(~Exists(others), pk__in=entries.values("batch"))
