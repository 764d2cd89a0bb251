"""``manage.py seed_demo``: orders to look at, a few or a million."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from orders import lifecycle
from orders.actor import Actor
from orders.errors import CatalogueUnavailable, InventoryUnavailable, OrderError
from orders.management import demo
from orders.management.commands._actor import OPERATOR
from orders.management.commands._progress import Progress
from orders.models import Order, User
from orders.status import CancelReason, Door

LOGIN = PASSWORD = "admin"  # noqa: S105 - of development only

# Who, where, what (product and pieces), and how far the order gets.
_ORDERS: list[tuple[str, str, str, str, dict[str, int], str]] = [
    ("Amara Okafor", "14 Rue des Lilas", "Lyon", "69003", {"1": 2, "11": 10}, "complete"),
    ("Jonas Lindqvist", "Storgatan 8", "Uppsala", "753 20", {"10": 1}, "complete"),
    ("Sok Dara", "221 Norodom Blvd", "Phnom Penh", "12207", {"5": 24, "17": 100}, "complete"),
    ("Maria Fernández", "Calle Mayor 40", "Zaragoza", "50001", {"7": 3, "2": 1}, "confirm"),
    ("Tom Hughes", "3 Castle Street", "Bristol", "BS1 3AD", {"9": 2}, "confirm"),
    ("Yuki Tanaka", "2-11-3 Meguro", "Tokyo", "153-0063", {"3": 2}, "confirm"),
    # One of product 3 is left: this one will be short when somebody confirms it.
    ("Anna Kowalska", "ul. Długa 12", "Kraków", "31-147", {"3": 1, "20": 4}, "place"),
    ("Priya Raman", "17 Anna Salai", "Chennai", "600002", {"3": 1, "13": 2}, "confirm"),
    ("David Cohen", "5 Herzl Street", "Haifa", "3303501", {"1": 6}, "place"),
    ("Lena Hofmann", "Gartenweg 21", "Freiburg", "79098", {"16": 1, "11": 25}, "place"),
    ("Samuel Adeyemi", "9 Marina Road", "Lagos", "101241", {"2": 2, "5": 6}, "place"),
    ("Chloé Martin", "30 Quai Voltaire", "Paris", "75007", {"20": 3}, "place"),
    ("Marek Novák", "Vinohradská 55", "Praha", "120 00", {"13": 1, "9": 1}, "place"),
    ("Olivia Brown", "88 King Street", "Toronto", "M5V 1J2", {"10": 4}, "cancel"),
]


class Command(BaseCommand):
    """Places demo orders through the verbs that every door uses, or writes a history of many."""

    help = (
        "Place demo orders and make the staff login admin/admin, in development;"
        " or write a made-up history of many orders."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--force", action="store_true", help="even when there are orders")
        parser.add_argument(
            "--orders", type=int, help="write so many, spread over two years; asks no inventory"
        )
        parser.add_argument(
            "--unsettled",
            type=int,
            default=0,
            help="with --orders: so many more settling, and so many in review, for good",
        )
        parser.add_argument("--seed", type=int, default=1, help="with --orders: which history")
        parser.add_argument(
            "--yes", action="store_true", help="with --orders: in production too, without a login"
        )

    def handle(self, *, force: bool = False, **options: Any) -> None:
        history = options["orders"] is not None
        if not settings.DEBUG and not (history and options["yes"]):
            raise CommandError(
                "seed_demo makes a login that anybody can guess: only with DEBUG=1."
                " --orders with --yes makes orders alone."
            )
        login = self._login() if settings.DEBUG else None
        if history:
            self._write_history(login, force=force, **options)
        elif force or not Order.objects.exists():
            try:
                self._place_all()
            except InventoryUnavailable as exc:
                raise CommandError(
                    f"No answer from the inventory service at {settings.INVENTORY_SERVICE_URL}."
                ) from exc
            except CatalogueUnavailable as exc:
                raise CommandError(
                    f"No answer from the catalogue at {settings.CATALOG_SERVICE_URL}."
                ) from exc
        self.stdout.write(f"{Order.objects.count()} orders")
        if login is not None:
            self.stdout.write(f"Staff login at {reverse('admin:index')}: {LOGIN} / {PASSWORD}")

    def _login(self) -> User:
        login = User.objects.filter(username=LOGIN).first()
        return login or User.objects.create_superuser(LOGIN, "admin@example.com", PASSWORD)

    def _write_history(
        self, login: User | None, *, orders: int, unsettled: int, seed: int, force: bool, **_: Any
    ) -> None:
        if orders < 1 or unsettled < 0:
            raise CommandError("--orders must be at least 1, and --unsettled at least 0.")
        if Order.objects.exists() and not force:
            raise CommandError(
                "There are orders, and those of a history would have higher numbers and older"
                " dates. --force writes it all the same."
            )
        staff = (Actor(via=Door.ADMIN, user=login) if login else OPERATOR).label
        progress = Progress(self.stderr, demo.parts_of(orders))
        try:
            demo.load(
                orders,
                unsettled=unsettled,
                seed=seed,
                now=timezone.now(),
                staff=staff,
                step=progress.step,
            )
        finally:
            progress.close()

    def _place_all(self) -> None:
        for name, street, city, zip_code, pieces, fate in _ORDERS:
            draft = lifecycle.OrderDraft(
                full_name=name,
                email=f"{name.split()[0].lower().encode('ascii', 'ignore').decode()}@example.com",
                address=street,
                city=city,
                zip_code=zip_code,
                items=[
                    lifecycle.Item(id_, count, demo.PRICES[id_]) for id_, count in pieces.items()
                ],
            )
            try:
                self._place(draft, fate)
            except (CatalogueUnavailable, InventoryUnavailable):
                raise
            except OrderError as exc:  # the sandbox's stock has been used up by earlier ones
                self.stderr.write(f"{name}: {exc}", style_func=str)

    def _place(self, draft: lifecycle.OrderDraft, fate: str) -> None:
        number = lifecycle.place(draft, actor=Actor(via=Door.API)).pk
        if fate in ("confirm", "complete"):
            lifecycle.confirm(number, actor=OPERATOR, hold=10)
        if fate == "complete":
            lifecycle.complete(number, actor=OPERATOR)
        if fate == "cancel":
            lifecycle.cancel(number, actor=OPERATOR, reason=CancelReason.DUPLICATE)
