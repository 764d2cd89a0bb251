"""Every page of the admin, for what must hold on each of them: a new page is a line in `PAGES`."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone
from playwright.sync_api import Page

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import ApiKey, Batch, Order, StockMovement, User
from orders.signin import resets
from orders.status import CancelReason, HoldReason
from tests.admin.desk import in_review, shown
from tests.admin.pages import LIST, address
from tests.admin.pages import page as order_page
from tests.factories import OPERATOR, order, order_of, staff
from tests.signin.mailboxes import link_in

SIGN_IN = "/admin/login/"


@dataclass(frozen=True, slots=True)
class Shop:
    """What the pages show: an order in each state, a review, a batch, somebody, a key."""

    orders: dict[str, Order]
    movement: StockMovement
    batch: Batch
    member: User
    key: ApiKey


def open_shop(sandbox: Sandbox) -> Shop:
    """Make the shop, by the verbs that staff use."""
    reviewed, movement = in_review(sandbox)
    sandbox.store.set_stock({"9": 40, "7": 1})
    orders = {
        name: order_of("24.50", p9=2, p8=1)
        for name in ("pending", "held", "confirmed", "completed", "cancelled")
    }
    sandbox.store.set_stock({"9": 40, "8": 40, "7": 1})
    orders["short"] = order_of(p7=3)
    orders["settling"] = order(stock_state="settling", stock_since=timezone.now())
    lifecycle.hold(orders["held"].pk, actor=OPERATOR, reason=HoldReason.PAYMENT)
    for name in ("confirmed", "completed"):
        lifecycle.confirm(orders[name].pk, actor=OPERATOR, hold=5)
    lifecycle.complete(orders["completed"].pk, actor=OPERATOR)
    lifecycle.cancel(
        orders["cancelled"].pk, actor=OPERATOR, reason=CancelReason.CUSTOMER, note="Rang twice."
    )
    batch = lifecycle.confirm_many([orders["short"].pk, orders["completed"].pk], actor=OPERATOR)
    while lifecycle.advance_due():
        pass
    member = staff("viewer", first_name="Kim")
    ApiKey.objects.create_key(name="shop", user=member)
    key = ApiKey.objects.get()
    return Shop(orders | {"review": reviewed}, movement, batch, member, key)


def _order(name: str) -> Callable[[Shop], str]:
    return lambda shop: order_page(shop.orders[name])


def _verb(verb: str, name: str) -> Callable[[Shop], str]:
    return lambda shop: address(shop.orders[name], verb)


def _save_no_address(page: Page) -> None:
    page.get_by_label("E-mail").fill("nobody")
    page.get_by_role("button", name="Save").click()


def _at(path: str) -> Callable[[Shop], str]:
    return lambda shop: path


def _follow(page: Page) -> None:
    """Open a link that somebody has got by mail."""
    page.goto(link_in(resets.letter(User.objects.get(first_name="Kim"))))


def _choose_badly(page: Page) -> None:
    """Choose a password that everybody has."""
    _follow(page)
    for label in ("New password", "New password, again"):
        page.get_by_label(label, exact=True).fill("12345678")
    page.get_by_role("button", name="Set the password").click()


# Where each page is; signed in as somebody who sees all of them.
PAGES: dict[str, Callable[[Shop], str]] = {
    "dashboard": _at("/admin/"),
    "inventory": _at("/admin/inventory/"),
    "order list": _at(LIST),
    "order list, narrowed": _at(f"{LIST}?q=doe&status__exact=PENDING"),
    "order list, at fault": _at(f"{LIST}?total__gte=ten&colour=red"),
    "order list, filtered": _at(f"{LIST}?status__exact=PENDING"),
    "order list, nothing found": _at(f"{LIST}?q=nobody-is-called-that"),
    "order, pending": _order("pending"),
    "order, on hold": _order("held"),
    "order, short": _order("short"),
    "order, settling": _order("settling"),
    "order, in review": _order("review"),
    "order, confirmed": _order("confirmed"),
    "order, completed": _order("completed"),
    "order, cancelled": _order("cancelled"),
    "confirm": _verb("confirm", "pending"),
    "complete": _verb("complete", "confirmed"),
    "cancel": _verb("cancel", "confirmed"),
    "hold": _verb("hold", "pending"),
    "release": _verb("release", "held"),
    "amend": _verb("amend", "pending"),
    "cancel, impossible": _verb("cancel", "completed"),
    "live stock": _verb("stock", "pending"),
    "review desk": _at("/admin/orders/stockmovement/"),
    "review": lambda shop: shown(shop.movement),
    "failed confirmations": _at("/admin/orders/confirmation/"),
    "batches": _at("/admin/orders/batch/"),
    "batch": lambda shop: f"/admin/orders/batch/{shop.batch.pk}/change/",
    "export": _at(f"{LIST}export/orders/"),
    "exports": _at("/admin/orders/export/"),
    "users": _at("/admin/orders/user/"),
    "user": lambda shop: f"/admin/orders/user/{shop.member.pk}/change/",
    "user, password": lambda shop: f"/admin/orders/user/{shop.member.pk}/password/",
    "user, history": lambda shop: f"/admin/orders/user/{shop.member.pk}/history/",
    "new user": _at("/admin/orders/user/add/"),
    "keys": _at("/admin/orders/apikey/"),
    "key": lambda shop: f"/admin/orders/apikey/{shop.key.pk}/change/",
    "new key": _at("/admin/orders/apikey/add/"),
    "roles": _at("/admin/auth/group/"),
    "role": lambda shop: f"/admin/auth/group/{shop.member.groups.get().pk}/change/",
    "new role": _at("/admin/auth/group/add/"),
    "own password": _at("/admin/password_change/"),
    "own password, changed": _at("/admin/password_change/done/"),
    "second factor": _at("/admin/second-factor/"),
    "password, forgotten": _at("/admin/forgotten/"),
    "password, mail asked for": _at("/admin/forgotten/asked/"),
    "password, by an old link": _at("/admin/reset/x/y/"),
    "password, set": _at("/admin/reset/done/"),
    "failed sign-ins": _at("/admin/axes/accessattempt/"),
    "all of the orders' tables": _at("/admin/orders/"),
}


def _select_all(action: str) -> Callable[[Page], None]:
    """Run an action on the page's orders."""

    def run(page: Page) -> None:
        page.locator("#action-toggle").check()
        page.get_by_label("Select action to run").select_option(action)
        page.get_by_role("button", name="Run").click()

    return run


# What is shown on a page only after something was done there: the page, and what to do.
STATES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "cancel many": ("order list", _select_all("cancel")),
    "order, cancelling": ("order, pending", lambda page: page.get_by_text("Cancel…").click()),
    "order, confirming": (
        "order, pending",
        lambda page: page.get_by_role("button", name="Confirm").click(),
    ),
    "amend, refused": ("amend", _save_no_address),
    "new user, refused": (
        "new user",
        lambda page: page.get_by_role("button", name="Save", exact=True).click(),
    ),
    "review, refused": (
        "review",
        lambda page: page.get_by_role("button", name="Not applied").click(),
    ),
    "password, new": ("password, mail asked for", _follow),
    "password, new, refused": ("password, mail asked for", _choose_badly),
    "dashboard, as a table": (
        "dashboard",
        lambda page: page.get_by_text("The same as a table").click(),
    ),
}
