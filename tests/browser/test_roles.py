"""Each role at the desk, in a real browser: offered is what the matrix says, and no more."""

from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, expect

from inventory_client.sandbox.server import Sandbox
from tests.admin.pages import LIST, address
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.pages import PAGES, Shop, open_shop
from tests.factories import staff

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),  # one process, so one Chromium at a time
    pytest.mark.usefixtures("committed_db"),
]

_FULFILMENT = ["confirm", "complete", "hold", "release"]
_PRINTS = ["packing_slips", "invoices"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What one role finds: list actions, the buttons of each order's page, and the menu."""

    menu: list[str]
    actions: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)
    may_write_notes: bool = False
    may_decide: bool = False


_ORDERS = ["Dashboard", "Pending", "Confirmed", "All orders"]
_STOCK = ["Batches", "Short", "Settling", "Review", "Failed"]

DESKS = {
    "viewer": Desk(menu=_ORDERS),
    "auditor": Desk(menu=[*_ORDERS, *_STOCK, "Users", "API keys", "Exports"]),
    "fulfilment": Desk(
        menu=[*_ORDERS, *_STOCK],
        actions=[*_FULFILMENT, *_PRINTS],
        pending=["Confirm", "Hold…"],
        held=["Hold…", "Release"],  # to give another reason
        confirmed=["Complete"],
        may_write_notes=True,
    ),
    "manager": Desk(
        menu=[*_ORDERS, *_STOCK, "Exports"],
        actions=[*_FULFILMENT, "cancel", "export_orders", "export_lines", *_PRINTS],
        pending=["Confirm", "Hold…", "Cancel…"],
        held=["Hold…", "Release", "Cancel…"],
        confirmed=["Complete", "Cancel…"],
        may_write_notes=True,
        may_decide=True,
    ),
}
BUTTONS = ["Confirm", "Complete", "Release", "Hold…", "Cancel…"]


@pytest.mark.parametrize("role", DESKS)
def test_desk_offers_each_role_exactly_what_it_may(
    open_page: OpenPage, sandbox: Sandbox, role: str
) -> None:
    desk, shop, page = DESKS[role], open_shop(sandbox), open_page()
    sign_in(page, staff(role, username=role))

    assert actions(page) == sorted(desk.actions)
    assert menu(page) == sorted(desk.menu)
    assert buttons(page, shop, "pending") == sorted(desk.pending)
    expect(page.get_by_label("New note")).to_have_count(int(desk.may_write_notes))
    expect(page.get_by_role("link", name="Correct")).to_have_count(int(role == "manager"))
    assert buttons(page, shop, "held") == sorted(desk.held)
    assert buttons(page, shop, "confirmed") == sorted(desk.confirmed)
    assert buttons(page, shop, "completed") == []
    assert opens(page, PAGES["review"](shop)) == ("Review" in desk.menu)
    expect(page.get_by_role("button", name="Not applied")).to_have_count(int(desk.may_decide))


@pytest.mark.parametrize("role", DESKS)
def test_pages_of_verbs_open_to_exactly_those_who_may(
    open_page: OpenPage, sandbox: Sandbox, role: str
) -> None:
    """Who knows the address of a page gets no further than who was offered its button."""
    desk, shop, page = DESKS[role], open_shop(sandbox), open_page()
    sign_in(page, staff(role, username=role))
    ready = {"confirm": "pending", "complete": "confirmed", "cancel": "pending"}
    for verb, name in {**ready, "hold": "pending", "release": "held"}.items():
        assert opens(page, address(shop.orders[name], verb)) == (verb in desk.actions), verb
    assert opens(page, address(shop.orders["pending"], "amend")) == (role == "manager")
    assert opens(page, PAGES["export"](shop)) == ("export_orders" in desk.actions)
    assert opens(page, PAGES["users"](shop)) == ("Users" in desk.menu)
    assert opens(page, PAGES["keys"](shop)) == ("API keys" in desk.menu)
    assert not opens(page, PAGES["roles"](shop))


def actions(page: Page) -> list[str]:
    """Return what the list can do with orders that are ticked."""
    page.goto(LIST)
    options = page.locator("select[name=action] option").evaluate_all(
        "options => options.map(option => option.value)"
    )
    return sorted(value for value in options if value)


def menu(page: Page) -> list[str]:
    """Return where the menu leads."""
    links = page.get_by_role("navigation").first.get_by_role("link")
    known = {name for desk in DESKS.values() for name in desk.menu} | {"Roles", "Failed sign-ins"}
    texts = {line.strip() for text in links.all_inner_texts() for line in text.splitlines()}
    return sorted(texts & known)


def buttons(page: Page, shop: Shop, name: str) -> list[str]:
    """Return which verbs an order's page has a button for."""
    page.goto(PAGES[f"order, {'on hold' if name == 'held' else name}"](shop))
    return sorted(
        each for each in BUTTONS if page.get_by_role("button", name=each, exact=True).count()
    )


def opens(page: Page, path: str) -> bool:
    """Go to an address; tell whether it opened, and not with a refusal."""
    answer = page.goto(path)
    assert answer is not None
    assert answer.status in (200, 403), f"{answer.status} {path}"
    return answer.status == 200
