"""Pictures of every page on every screen, for whoever looks at them: ``SCREENSHOTS=folder``.

That nothing scrolls sideways, `test_accessibility` asserts as well.
"""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from tests.browser import looks
from tests.browser.conftest import PASSWORD, OpenPage, sign_in
from tests.browser.pages import PAGES, STATES, open_shop
from tests.factories import user

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),  # one process, so one Chromium at a time
    pytest.mark.usefixtures("committed_db"),
    pytest.mark.skipif("SCREENSHOTS" not in os.environ, reason="nobody looks: set SCREENSHOTS"),
]


@pytest.fixture(autouse=True)
def _mail(settings: Settings) -> None:
    settings.SENDS_MAIL = True  # else there are no pages for a forgotten password


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_the_screen(
    open_page: OpenPage, sandbox: Sandbox, width: int, scheme: str
) -> None:
    """The pictures are kept in the folder that SCREENSHOTS names."""
    page = open_page(width=width, height=900, scheme=scheme)
    owner = user(is_staff=True, is_superuser=True)
    owner.set_password(PASSWORD)
    owner.save()
    shop = open_shop(sandbox)
    sign_in(page, owner)
    too_wide = []
    for name, where in PAGES.items():
        page.goto(where(shop))
        too_wide += looked_at(page, name, width, scheme)
    for name, (start, do) in STATES.items():
        page.goto(PAGES[start](shop))
        do(page)
        page.wait_for_load_state()
        too_wide += looked_at(page, name, width, scheme)
    assert too_wide == []


def looked_at(page: Page, name: str, width: int, scheme: str) -> list[str]:
    """Return the page when it is wider than the screen; keep its picture if wanted."""
    wide = looks.width(page)
    if folder := os.environ.get("SCREENSHOTS"):
        file = re.sub(r"\W+", "-", f"{name}-{width}-{scheme}") + ".png"
        is_dialog = page.get_by_role("dialog").count() > 0
        page.screenshot(path=Path(folder) / file, full_page=not is_dialog)
    return [f"{name}: {wide}"] if wide > width else []
