"""The content security policy of each kind of answer, and what of the theme stands in for it."""

import difflib
from pathlib import Path

import pytest
import unfold
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from unfold.settings import CONFIG_DEFAULTS

from tests.factories import staff

pytestmark = pytest.mark.django_db

NOTHING = {
    "default-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
ADMIN = NOTHING | {
    "connect-src": "'self'",
    "font-src": "'self'",
    "form-action": "'self'",
    "img-src": "'self'",
    "script-src": "'self' 'unsafe-eval'",
    "style-src": "'self'",
}


def policy(path: str, client: Client | None = None) -> dict[str, str]:
    """Return the directives that come with a page."""
    header = (client or Client()).get(path).headers["Content-Security-Policy"]
    directives = (directive.partition(" ") for directive in header.split("; "))
    return {name: value for name, _, value in directives}


@pytest.mark.parametrize("path", ["/health", "/api", "/api/orders", "/api/orders/x", "/", "/x"])
def test_answer_outside_the_admin_may_load_nothing(path: str) -> None:
    assert policy(path) == NOTHING


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/", "/admin/orders/order/", "/admin/x/"])
def test_page_of_the_admin_may_load_its_own(path: str) -> None:
    client = Client()
    client.force_login(staff("manager"))
    assert policy(path) == policy(path, client) == ADMIN


def test_failure_inside_the_admin_keeps_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.admin.navigation.sidebar", lambda request: 1 / 0)
    client = Client(raise_request_exception=False)
    client.force_login(staff("manager"))
    answer = client.get("/admin/orders/order/")
    assert answer.status_code == 500
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_theme_has_the_colours_that_unfold_would_write_into_the_page() -> None:
    found = finders.find("orders/theme.css")
    assert isinstance(found, str)
    css = Path(found).read_text()
    for name, weights in CONFIG_DEFAULTS["COLORS"].items():
        for weight, value in weights.items():
            assert f"  --color-{name}-{weight}: {value};\n" in css


def test_copied_template_differs_from_unfold_by_one_line_alone() -> None:
    name = "templates/admin/actions.html"
    theirs = (Path(unfold.__file__).parent / name).read_text().splitlines()
    ours = (settings.BASE_DIR / name).read_text().splitlines()
    changes = [line for line in difflib.ndiff(theirs, ours[1:]) if line[0] in "+-"]
    assert [line[0] for line in changes] == ["-", "+"]
    assert "x-bind:style=\"{ width: changeListWidth + 'px' }\"" in changes[1]
