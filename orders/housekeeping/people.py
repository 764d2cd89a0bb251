"""Whom an e-mail address or a username stands for, and which orders are theirs."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from orders.errors import OrderError
from orders.models import ApiKey, IdempotencyKey, Order, User
from orders.signin import closing


class NotACustomer(OrderError):
    """The account ``username`` is of staff or of a service, and not a customer's."""

    code = "not_a_customer"

    def __init__(self, user: User) -> None:
        super().__init__(f"The account {user.pk} is of staff or of a service")  # for a log, too
        self.username = user.username


class NoSuchOrders(OrderError):
    """Numbers that were given are no orders'; ``str()`` names them."""

    code = "no_such_orders"

    def __init__(self, numbers: Iterable[int]) -> None:
        super().__init__(f"There is no order {', '.join(f'#{each}' for each in sorted(numbers))}")


@dataclass(frozen=True, slots=True)
class Person:
    """A customer: their accounts, their e-mail addresses, and orders that somebody has named.

    Guests are known by the address alone. So an order of a guest's belongs to whom the address
    belongs to, and an order of an account to that account, whatever address it bears. An address
    that is ``shared`` is of an account of somebody else, too, and nothing is known by it.
    """

    emails: frozenset[str]
    accounts: tuple[User, ...] = ()
    named: frozenset[int] = field(default=frozenset())
    shared: frozenset[str] = field(default=frozenset())

    def names(self) -> set[str]:
        """Return all names under which the person may have tried to sign in."""
        return {*self.emails, *(user.username for user in self.accounts)}

    def orders(self) -> QuerySet[Order]:
        """Return the person's orders.

        Those of an account that is closed are told by their address again: they were placed while
        it was being closed.
        """
        nobody_s = Q(owner=None) | Q(owner__in=closing.closed())
        theirs = Q(owner__in=self.accounts) | Q(number__in=self.named)
        if self.emails:
            theirs |= _bearing(self.emails) & nobody_s
        return Order.objects.filter(theirs)

    def idempotency_keys(self, numbers: Collection[int]) -> QuerySet[IdempotencyKey]:
        """Return the keys that made these orders, or that the person has used for any."""
        scopes = [f"guest:{email.lower()}" for email in self.emails]
        scopes += [f"user:{user.pk}" for user in self.accounts]
        return IdempotencyKey.objects.filter(Q(order__in=numbers) | Q(scope__in=scopes))

    def orders_of_others(self, addresses: Collection[str]) -> QuerySet[Order]:
        """Return what bears one of the addresses, and is not known to be the person's."""
        bearing = Order.objects.filter(_bearing(addresses))
        return bearing.exclude(pk__in=self.orders().values("pk"))

    def accounts_of_others(self, addresses: Collection[str]) -> QuerySet[User]:
        """Return the accounts of one of the addresses that are not known to be the person's."""
        mine = [user.pk for user in self.accounts]
        return User.objects.filter(_bearing(addresses)).exclude(pk__in=mine)


def find(who: str, *, numbers: Collection[int] = ()) -> Person:
    """Return the customer of an e-mail address, in any case, or of a username.

    Whoever names an address means all accounts of it; a username means that account alone, and
    says nothing of others that have its address: a family's, or staff's. ``numbers`` are orders
    that are theirs, too, whatever they say. Raises `NotACustomer` or `NoSuchOrders`. Whether
    anything is held on the person is for the caller to see.
    """
    known = Order.objects.filter(pk__in=numbers).values_list("pk", flat=True)
    if missing := set(numbers) - set(known):
        raise NoSuchOrders(missing)
    is_email = "@" in who  # else it would be the address of all accounts that have none
    called = Q(username=who) | Q(email__iexact=who) if is_email else Q(username=who)
    every = tuple(User.objects.filter(called).order_by("pk"))
    for user in every:
        if (
            user.is_staff
            or user.is_superuser
            or user.groups.exists()
            or ApiKey.objects.filter(user=user).exists()
        ):
            raise NotACustomer(user)
    emails = {user.email for user in every if user.email}
    if is_email:
        emails.add(who)
    alone = Person(frozenset(emails), every, frozenset(numbers))
    shared = frozenset(each for each in emails if alone.accounts_of_others([each]).exists())
    return Person(alone.emails - shared, every, alone.named, shared)


def _bearing(addresses: Iterable[str]) -> Q:
    bearing = Q(pk__in=[])
    for address in addresses:
        bearing |= Q(email__iexact=address)
    return bearing
