"""What a page must look like: nothing scrolls sideways, and axe finds nothing serious."""

import os
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SERIOUS = ("serious", "critical")
_SCRIPT = Axe().axe_script


def findings(page: Page, rules: list[str] | None = None) -> list[str]:
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
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]


def width(page: Page) -> int:
    """Return how wide the page's contents are, in pixels, once it has its fonts.

    A page that a press has just brought has no root yet: the locator waits for it.
    """
    root = page.locator("html")
    return int(root.evaluate("async root => (await document.fonts.ready, root.scrollWidth)"))


def look(page: Page, picture: str) -> None:
    """Look at the page as it is; with SCREENSHOTS=folder its picture is kept there."""
    page.wait_for_load_state()  # a press may have begun to leave the page
    assert page.viewport_size
    assert width(page) <= page.viewport_size["width"], picture
    assert findings(page) == [], picture
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{picture}.png", full_page=True)
