"""A real browser before a real server, with an inventory service on a socket behind it."""

import os
import shutil
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from orders.models import User
from tests.admin.pages import LIST
from tests.factories import staff

PASSWORD = "correct horse battery 9"
# For what must come, however busy the machine: a page that takes 2 s alone has taken more than the
# 5 s that Playwright's assertions wait. What must come soon has a limit of its own in its test.
PATIENCE_MS = 30_000
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return where the machine's Chromium is; skip the test when there is none.

    The one without a desktop is the same engine and takes 40 % less of the machine's time.
    """
    named = os.environ.get("CHROMIUM")
    known = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
    for candidate in [named] if named else known:
        path = shutil.which(candidate)
        if path:
            return path
    pytest.skip("no Chromium: install Debian's chromium-headless-shell, or set CHROMIUM")


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser for all tests of this folder.

    Playwright's synchronous API keeps an asyncio loop running in the test's thread. Django takes
    that for asynchronous code and refuses to query the database; it is told not to, until the
    browser is closed.
    """
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def manager(committed_db: None) -> User:
    """Return a manager who can sign in with `PASSWORD`."""
    member = staff("manager", username="morgan")
    member.set_password(PASSWORD)
    member.save()
    return member


@pytest.fixture
def open_page(browser: Browser, live_server: LiveServer) -> Iterator[OpenPage]:
    """Open pages that must run without a script error, load nothing from elsewhere, and never try
    what their content security policy forbids."""
    here = urlsplit(live_server.url).netloc
    faults: list[str] = []
    contexts = []

    def fault(what: str) -> None:
        faults.append(what)

    def requested(request: Request) -> None:
        if urlsplit(request.url).netloc not in (here, ""):
            fault(request.url)

    def said(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            fault(message.text)

    def opened(
        width: int = 1280,
        height: int = 900,
        scheme: str = "light",
        *,
        timezone: str | None = None,
        javascript: bool = True,
        faultless: bool = True,
    ) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=javascript,
            timezone_id=timezone,
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        if faultless:
            page.on("pageerror", lambda error: fault(f"script: {error}"))
            page.on("request", requested)
            page.on("console", said)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


def sign_in(page: Page, member: User) -> None:
    """Open the list of orders as somebody who has signed in; the form is `test_sign_in`'s."""
    client = Client()
    client.force_login(member)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [
            {
                "name": settings.SESSION_COOKIE_NAME,
                "value": session,
                "domain": "localhost",
                "path": "/",
            }
        ]
    )
    page.goto(LIST)
