"""Every page of the admin works under its content security policy; what it forbids is blocked.

That nothing violates the policy is asserted by ``open_page``, in each browser test;
``test_accessibility`` opens every page.
"""

import pytest
from playwright.sync_api import Page, expect

from inventory_client.sandbox.server import Sandbox
from orders.models import User
from tests.browser.conftest import OpenPage, sign_in
from tests.factories import order_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),  # one process, so one Chromium at a time
    pytest.mark.usefixtures("committed_db"),
]


@pytest.fixture
def morgan(manager: User) -> User:
    """Return a superuser, who sees every page there is."""
    manager.is_superuser = True
    manager.save()
    return manager


def test_theme_and_menus_work_within_the_policy(
    open_page: OpenPage, morgan: User, sandbox: Sandbox
) -> None:
    order = order_of(p10=1)
    page = open_page()
    sign_in(page, morgan)
    assert colour(page, "--color-primary-600") == "oklch(55.8% .288 302.321)"

    page.get_by_role("row", name=f"#{order.pk}").get_by_role("checkbox").check()
    expect(page.get_by_role("button", name="Run")).to_be_hidden()
    page.get_by_label("Select action to run").select_option("confirm")
    expect(page.get_by_role("button", name="Run")).to_be_visible()
    wide = page.locator("#changelist-actions").evaluate("bar => bar.style.width")
    assert wide.endswith("px")

    page.get_by_text(morgan.email).click()
    expect(page.get_by_role("link", name="Change password")).to_be_visible()
    page.keyboard.press("Control+e")
    expect(page.locator("html")).to_have_class("light")
    page.keyboard.press("Control+e")
    expect(page.locator("html")).to_have_class("dark")


def test_script_in_the_page_is_blocked(open_page: OpenPage, morgan: User) -> None:
    """The control: without the policy this would run."""
    page = open_page(faultless=False)
    page.goto("/admin/login/")
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            document.body.setAttribute("onclick", "window.ran = true");
            document.body.click();
            document.body.setAttribute("style", "color: red");
        }"""
    )
    assert page.evaluate("window.ran") is None
    assert page.evaluate("document.body.style.color") == ""


def colour(page: Page, name: str) -> str:
    return str(
        page.evaluate(
            "name => getComputedStyle(document.documentElement).getPropertyValue(name)", name
        )
    )
