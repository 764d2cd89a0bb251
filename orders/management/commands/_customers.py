"""What the commands about one customer share: naming them."""

from argparse import ArgumentParser
from collections.abc import Collection

from django.core.management.base import CommandError

from orders.housekeeping import people
from orders.housekeeping.mentions import SHOWN
from orders.housekeeping.people import NoSuchOrders, NotACustomer, Person
from orders.housekeeping.traces import Unsure


def add_who(parser: ArgumentParser) -> None:
    """Let the operator name a customer."""
    parser.add_argument(
        "who",
        metavar="WHO",
        help="an e-mail address, as guests are known by, or an account's username",
    )


def find(who: str, numbers: Collection[int] = ()) -> Person:
    """Return the customer; raise `CommandError` for staff, services and unknown orders."""
    try:
        return people.find(who.strip(), numbers=numbers)
    except NotACustomer as exc:
        raise CommandError(
            f"The account {exc.username} is of staff or of a service: its data is not a customer's."
        ) from exc
    except NoSuchOrders as exc:
        raise CommandError(f"{exc}. Nothing was done.") from exc


def told(unsure: Unsure) -> list[str]:
    """Return what bears a customer's names and is not known to be theirs, a line a word."""
    by_word: dict[str, list[str]] = {}
    for each in (*unsure.others, *unsure.texts):
        more = ", …" if each.rows > SHOWN else ""
        said = f"{each.rows} {each.where} ({', '.join(each.first)}{more})"
        by_word.setdefault(each.word, []).append(said)
    lines = [f"  {word}: {', '.join(said)}" for word, said in by_word.items()]
    if unsure.unsought:
        lines.append(
            f"  {unsure.unsought} more names and addresses of their orders were not looked for"
        )
    return lines and ["Not known to be theirs, and left as it is:", *lines]
