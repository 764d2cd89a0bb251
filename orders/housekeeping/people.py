"""Whom an e-mail address or a username stands for, and which orders are theirs."""

from collections.abc import Collection
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from orders import lifecycle
from orders.errors import OrderError
from orders.models import ApiKey, Order, User
from orders.signin import closing

MOST_NAMES = 20


class NotACustomer(OrderError):
    """The account is of staff or of a service, and not a customer's."""

    code = "not_a_customer"

    def __init__(self, user: User) -> None:
        super().__init__(f"The account {user.username} is of staff or of a service")


@dataclass(frozen=True, slots=True)
class Person:
    """A customer: their accounts, their e-mail addresses, and orders that somebody has named.

    Guests are known by the address alone. So an order of a guest's belongs to whom the address
    belongs to, and an order of an account to that account, whatever address it bears.
    """

    emails: frozenset[str]
    accounts: tuple[User, ...] = ()
    named: frozenset[int] = field(default=frozenset())

    def names(self) -> set[str]:
        """Return all names under which the person may have tried to sign in."""
        return {*self.emails, *(user.username for user in self.accounts)}

    def full_names(self) -> set[str]:
        """Return what the person is called in their accounts and orders; of many names some."""
        accounts = {user.get_full_name() for user in self.accounts}
        naming = self.orders().exclude(full_name=lifecycle.ERASED["full_name"])
        orders = naming.order_by("full_name").values_list("full_name", flat=True)
        return {*accounts, *orders.distinct()[:MOST_NAMES]} - {""}

    def orders(self) -> QuerySet[Order]:
        """Return the person's orders.

        Those of an account that is closed are told by their address again: they were placed while
        it was being closed.
        """
        nobody_s = Q(owner=None) | Q(owner__in=closing.closed())
        theirs = Q(owner__in=self.accounts) | Q(number__in=self.named)
        if self.emails:
            theirs |= self._bearing() & nobody_s
        return Order.objects.filter(theirs)

    def orders_of_others(self) -> QuerySet[Order]:
        """Return what bears one of the addresses, although it is of an account of somebody else."""
        if not self.emails:
            return Order.objects.none()
        return Order.objects.filter(self._bearing()).exclude(pk__in=self.orders().values("pk"))

    def _bearing(self) -> Q:
        bearing = Q()
        for email in self.emails:
            bearing |= Q(email__iexact=email)
        return bearing


def find(who: str, *, numbers: Collection[int] = ()) -> Person:
    """Return the customer of an e-mail address, in any case, or of a username.

    ``numbers`` are orders that are theirs, too, whatever they say. Raises `NotACustomer`. Whether
    anything is held on the person is for the caller to see.
    """
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
    return Person(frozenset(emails), every, frozenset(numbers))
