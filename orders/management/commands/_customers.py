"""What the commands about one customer share: naming them."""

from argparse import ArgumentParser
from collections.abc import Collection

from django.core.management.base import CommandError

from orders.housekeeping import people
from orders.housekeeping.people import NotACustomer, Person


def add_who(parser: ArgumentParser) -> None:
    """Let the operator name a customer."""
    parser.add_argument(
        "who",
        metavar="WHO",
        help="an e-mail address, as guests are known by, or an account's username",
    )


def find(who: str, numbers: Collection[int] = ()) -> Person:
    """Return the customer; raise `CommandError` for staff and services."""
    try:
        return people.find(who.strip(), numbers=numbers)
    except NotACustomer as exc:
        raise CommandError(f"{exc}: its data is not a customer's.") from exc


def said_others(person: Person) -> str:
    """Return what bears the customer's address and is somebody else's; empty without any."""
    numbers = person.orders_of_others().order_by("pk").values_list("pk", "owner__username")
    named = ", ".join(f"#{number} of {username}" for number, username in numbers)
    return named and f"These bear the address, and are of other accounts: {named}"
