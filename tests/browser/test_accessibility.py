"""Every page by keyboard and by screen reader, and on a phone: one walk past all of them.

Axe finds nothing serious, in light and in dark; nothing scrolls sideways, wide or narrow.
"""

import pytest
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from tests.browser.conftest import OpenPage, sign_in
from tests.browser.looks import PHONE, faults
from tests.browser.pages import PAGES, SIGN_IN, STATES, Shop, open_shop
from tests.factories import user

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),  # one process, so one Chromium at a time
    pytest.mark.usefixtures("committed_db"),
]


@pytest.fixture(autouse=True)
def _mail(settings: Settings) -> None:
    settings.SENDS_MAIL = True  # else there are no pages for a forgotten password


def test_pages_have_no_serious_finding(open_page: OpenPage, sandbox: Sandbox) -> None:
    page = open_page(width=PHONE)  # else all of them are loaded on a desk alone
    page.goto(SIGN_IN)
    found = faults(page, "sign-in")
    shop = _enter(page, sandbox)
    for name, where in PAGES.items():
        path = where(shop)
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, name
        assert page.url.endswith(path), name  # not sent on to another page
        assert "unsafe-inline" not in answer.headers["content-security-policy"], name
        found += faults(page, name)
    for name, (start, do) in STATES.items():
        page.goto(PAGES[start](shop))
        do(page)
        found += faults(page, name, whole=page.get_by_role("dialog").count() == 0)
    assert not found, "\n".join(found)


# Tab stops that a keyboard must find, in the order in which it does.
STOPS = """() => {
  const stop = document.activeElement;
  const style = getComputedStyle(stop);
  const box = stop.getBoundingClientRect();
  const name = stop.getAttribute("aria-label") || stop.innerText || stop.name || stop.tagName;
  const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1
    && box.width > 1 && box.height > 1;
  return [stop === document.body ? "" : name.trim().slice(0, 40), seen];
}"""


def test_pages_show_where_the_keyboard_is(open_page: OpenPage, sandbox: Sandbox) -> None:
    page = open_page()
    shop = _enter(page, sandbox)
    for name in ("dashboard", "order list", "order, pending", "review", "users"):
        page.goto(PAGES[name](shop))
        page.wait_for_load_state("networkidle")
        stops: list[str] = []
        for _ in range(60):
            page.keyboard.press("Tab")
            stop, seen = page.evaluate(STOPS)
            if not stop:
                break
            assert seen, f"{name}: nothing shows that {stop!r} has the focus, after {stops}"
            stops.append(stop)
        assert stops[0] == "Skip to the content", name
        assert len(stops) > 5, name


def test_keyboard_skips_the_menu_and_opens_what_the_mouse_can(
    open_page: OpenPage, sandbox: Sandbox
) -> None:
    page = open_page(width=PHONE)
    page.goto(PAGES["dashboard"](_enter(page, sandbox)))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("a.dash-tile").first).to_be_focused()

    page.get_by_role("button", name="Menu").press("Enter")
    expect(page.get_by_role("link", name="All orders")).to_be_visible()
    page.get_by_role("button", name="Close").press("Space")
    expect(page.get_by_role("link", name="All orders")).to_be_hidden()


def _enter(page: Page, sandbox: Sandbox) -> Shop:
    shop = open_shop(sandbox)
    sign_in(page, user(is_staff=True, is_superuser=True))
    return shop
