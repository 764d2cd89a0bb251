"""What a page must look like: nothing scrolls sideways, and axe finds nothing serious.

With SCREENSHOTS=folder the pictures of each page that is looked at are kept there.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

PHONE, DESK = 390, 1280  # pixels
_SERIOUS = ("serious", "critical")
_CONTRAST = ["color-contrast", "link-in-text-block"]
_SCRIPT = Axe().axe_script


def look(page: Page, picture: str) -> None:
    """See that a page is accessible, also on a phone, and fits every screen; leave it as it was."""
    assert faults(page, picture) == []
    with _screen(page, PHONE):
        assert _findings(page) == [], picture


def fit(page: Page, picture: str, *, whole: bool = True) -> None:
    """See that a page fits every screen; it is left as it was. A picture may not be ``whole``."""
    for pixels in (PHONE, DESK):
        assert _too_wide(page, picture, pixels, whole=whole) == []


def faults(page: Page, picture: str, *, whole: bool = True) -> list[str]:
    """Return what is wrong with a page: its width; by axe on a desk, the contrast in dark too."""
    page.wait_for_load_state()  # a press may have begun to leave the page
    found = _too_wide(page, picture, PHONE, whole=whole)
    with _screen(page, DESK):  # once: each change of the screen lays the page out anew
        found += _too_wide(page, picture, DESK, whole=whole)
        serious = _findings(page)
        with _dark(page):
            serious += _findings(page, _CONTRAST)
    return found + [f"{picture}: {each}" for each in serious]


def width(page: Page) -> int:
    """Return how wide the page's contents are, in pixels, once it has its fonts.

    A page that a press has just brought has no root yet: the locator waits for it.
    """
    root = page.locator("html")
    return int(root.evaluate("async root => (await document.fonts.ready, root.scrollWidth)"))


def _findings(page: Page, rules: list[str] | None = None) -> list[str]:
    """Return what axe takes for serious or critical, by all of its rules or by some."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}  # it is quicker without the rest
    if rules:
        options["runOnly"] = {"type": "rule", "values": rules}
    page.evaluate("document.fonts.ready")
    if not page.evaluate("'axe' in window"):
        page.evaluate(_SCRIPT)
    results = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{each['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for each in results["violations"]
        if each["impact"] in _SERIOUS
        for node in each["nodes"]
    ]


def _too_wide(page: Page, picture: str, pixels: int, *, whole: bool) -> list[str]:
    """Say so when the page is wider than a screen is; keep its pictures if wanted."""
    page.wait_for_load_state()
    with _screen(page, pixels):
        wide = width(page)
        _keep(page, f"{picture}-{pixels}", whole=whole)
    return [f"{picture}: {wide} wide on a screen of {pixels}"] if wide > pixels else []


def _keep(page: Page, picture: str, *, whole: bool) -> None:
    folder = os.environ.get("SCREENSHOTS")
    if not folder:
        return
    path = Path(folder) / re.sub(r"\W+", "-", picture)
    page.screenshot(path=f"{path}.png", full_page=whole)
    with _dark(page):
        page.screenshot(path=f"{path}-dark.png", full_page=whole)


@contextmanager
def _screen(page: Page, pixels: int) -> Iterator[None]:
    """Show the page on a screen of that width."""
    before = page.viewport_size
    assert before
    if before["width"] == pixels:
        yield
        return
    page.set_viewport_size({"width": pixels, "height": 900})
    yield
    page.set_viewport_size(before)


@contextmanager
def _dark(page: Page) -> Iterator[None]:
    """Show the page in dark: customers' pages ask the screen, the admin has a class for it."""
    page.emulate_media(color_scheme="dark")
    page.evaluate("document.documentElement.classList.add('dark')")
    yield
    page.evaluate("document.documentElement.classList.remove('dark')")
    page.emulate_media(color_scheme="light")
