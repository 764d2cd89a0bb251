"""Staff set a second factor up, sign in with it and are locked out, by keyboard; on any screen."""

import re
from base64 import b32decode

import pytest
from playwright.sync_api import Page, Route, expect

from orders.models import User
from tests.browser.conftest import PASSWORD, OpenPage, sign_in
from tests.browser.looks import look
from tests.signin.people import code_of, with_app

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),  # one process, so one Chromium at a time
    pytest.mark.usefixtures("committed_db"),
]

PAGE = "/admin/second-factor/"


def hex_of(page: Page) -> str:
    """Return the secret that the page shows, as hex digits."""
    return b32decode(page.locator("code").inner_text().replace(" ", "")).hex()


def give_password(page: Page, who: User, password: str = PASSWORD) -> None:
    page.goto("/admin/login/")
    page.get_by_label("Username").fill(who.username)
    page.get_by_label("Password").fill(password)
    page.get_by_label("Password").press("Enter")


def expect_focus(page: Page, name: str) -> None:
    """See that the field which asks for the focus gets it."""
    expect(page.locator(f"[name={name}]")).to_be_focused()


def test_manager_sets_an_app_up_and_signs_in_with_it_by_keyboard(
    open_page: OpenPage, manager: User
) -> None:
    page = open_page()
    sign_in(page, manager)
    page.get_by_text(manager.email).click()
    page.get_by_role("link", name="Second factor").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    expect_focus(page, "code")
    secret = hex_of(page)
    page.keyboard.type(code_of(secret))
    page.keyboard.press("Enter")
    codes = page.get_by_role("list", name="Recovery codes").get_by_role("listitem")
    expect(codes).to_have_count(10)
    recovery = codes.first.inner_text()
    assert re.fullmatch(r"\d{4} \d{4} \d{4}", recovery)
    page.get_by_role("link", name="I have kept them").press("Enter")
    page.wait_for_url("**/admin/")
    page.close()

    other = open_page()
    give_password(other, manager)
    other.wait_for_url("**/admin/code/**")
    expect_focus(other, "code")
    other.keyboard.type("000000")
    other.keyboard.press("Enter")
    expect(other.get_by_role("alert")).to_contain_text("That code is wrong")
    other.get_by_label("Code", exact=True).fill(recovery)
    other.keyboard.press("Enter")
    other.wait_for_url("**/admin/")


def test_field_has_the_focus_though_the_page_is_hidden_until_its_scripts_have_run(
    open_page: OpenPage,
) -> None:
    """A browser that had drawn the page by then gave the focus to nobody."""
    page = open_page()

    def after_the_page_is_drawn(route: Route) -> None:
        page.wait_for_timeout(500)
        route.continue_()

    page.route("**/alpine.js", after_the_page_is_drawn)
    page.goto("/admin/login/")
    expect_focus(page, "username")


def test_sign_in_works_without_javascript(open_page: OpenPage, manager: User) -> None:
    _, secret, _ = with_app(manager)
    page = open_page(javascript=False)
    give_password(page, manager)
    page.get_by_label("Code", exact=True).fill(code_of(secret))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/admin/")


def test_person_who_is_locked_out_is_told_until_when(open_page: OpenPage, manager: User) -> None:
    page = open_page()
    for _ in range(10):
        give_password(page, manager, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("in 15 minutes")
    page.get_by_role("link", name="Back to the sign-in").press("Enter")
    expect(page.get_by_label("Username")).to_be_visible()


def test_pages_fit_every_screen_and_are_accessible(open_page: OpenPage, manager: User) -> None:
    manager.is_superuser = True
    manager.save()
    page = open_page()

    page.goto("/admin/login/")
    look(page, "sign-in")
    sign_in(page, manager)
    page.goto(PAGE)
    secret = hex_of(page)
    look(page, "set-up")
    page.get_by_label("Code", exact=True).fill(code_of(secret, -1))
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Recovery codes")).to_be_visible()
    look(page, "recovery-codes")
    page.goto(PAGE)
    look(page, "is-on")

    page = open_page()
    for _ in range(9):
        give_password(page, manager, "wrong")
    look(page, "wrong-password")
    give_password(page, manager)
    page.wait_for_url("**/admin/code/**")
    look(page, "code")
    page.get_by_label("Code", exact=True).fill("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("too many wrong attempts")
    look(page, "locked-out")
