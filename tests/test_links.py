"""The links in what people read: to a file that there is, and to a heading in it."""

import re
from pathlib import Path

import pytest

from tests.processes import ROOT

PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("orders/**/*.md")]
ADR = re.compile(r"\[ADR (\d+)\]\(([^)#]*)")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)")


def headings(page: Path) -> set[str]:
    """Return the names that GitHub gives to a page's headings."""
    found = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_links_to_what_there_is(page: Path) -> None:
    for file, heading in LINK.findall(page.read_text()):
        target = page.parent / file if file else page
        assert target.exists(), file
        assert not heading or heading in headings(target), f"{file}#{heading}"
    for number, file in ADR.findall(page.read_text()):
        assert Path(file).name.startswith(f"{int(number):04}-"), f"ADR {number}: {file}"
