"""The API's description as a page: everything on it comes from here, and it can call the API."""

import pytest
from playwright.sync_api import expect

from tests.api import described
from tests.browser.conftest import OpenPage

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),  # one process, so one Chromium at a time
    pytest.mark.usefixtures("committed_db"),
]


def test_docs_list_every_operation_and_call_one(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/api/docs")
    for methods in described.document()["paths"].values():
        for operation in methods.values():
            expect(page.get_by_text(operation["summary"], exact=True)).to_be_visible()

    page.get_by_text("Is the process alive?", exact=True).click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()

    answer = page.locator(".live-responses-table")
    expect(answer.locator(".response-col_status").last).to_contain_text("200")
    expect(answer.locator(".response-col_description").last).to_contain_text("order-service")
    expect(page.get_by_role("button", name="Authorize")).to_be_visible()
