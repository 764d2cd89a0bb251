"""What we call, what comes back from there, and what every answer of ours says to a browser."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from inventory_client.sandbox.faults import AFTER, BEFORE
from inventory_client.sandbox.server import Sandbox
from orders.models import Order, StockMovement
from orders.stock import inventory
from orderservice import environment
from tests.admin.pages import LIST
from tests.admin.pages import page as order_page
from tests.api.calls import ORDERS, body, create, guest, patch, refusal, service, url
from tests.factories import order, order_of, staff, stock
from tests.inventory.conftest import serve as serve
from tests.inventory.peers import Serve, answer, answers_always
from tests.processes import ROOT
from tests.signin.people import PASSWORD, member
from tests.test_settings import COMPLETE, start

pytestmark = pytest.mark.django_db

FOREIGN = "https://evil.example"


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "ftp://inventory.example.org",
        "gopher://x",
        "https://user:pw@inventory.example.org",
        "https://good.example.org@evil.example.org/",
        "https://inventory.example.org/?x=1",
        "https://inventory.example.org/#x",
        "//inventory.example.org",
        "https://",
        "https://a b/",
    ],
)
def test_outgoing_calls_go_to_a_plain_web_address_alone(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVENTORY_SERVICE_URL", address)
    with pytest.raises(ImproperlyConfigured, match="INVENTORY_SERVICE_URL"):
        environment.service("INVENTORY_SERVICE_URL")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_outgoing_calls_follow_no_redirect(serve: Serve, settings: Settings, status: str) -> None:
    elsewhere = serve(answers_always())
    header = f"Location: {elsewhere.url}/\r\n".encode()
    upstream = serve(answers_always([answer(b"", status=status, headers=header)]))
    settings.INVENTORY_SERVICE_URL = upstream.url
    inventory.client.cache_clear()
    assert refusal(create(guest()))[0] == 503
    assert (elsewhere.connections, Order.objects.count()) == (0, 0)
    inventory.client.cache_clear()


QUICK = [fault for fault in (*BEFORE, *AFTER) if fault not in ("hang", "slow_loris")]


MALFORMED = [b"", b"null", b"[]", b"{}", b"<html>", b"\xff", b'{"items":null}', b'{"items":[]}',
    b'{"items":[{"product_id":"11","available":true}]}', b"[" * 5000, b"9" * 5000]  # fmt: skip


@pytest.mark.parametrize("content", MALFORMED, ids=range(len(MALFORMED)))
def test_upstream_answers_that_are_malformed_place_no_order(
    serve: Serve, settings: Settings, content: bytes
) -> None:
    settings.INVENTORY_SERVICE_URL = serve(answers_always([answer(content)])).url
    inventory.client.cache_clear()
    made = create(guest())
    inventory.client.cache_clear()
    assert refusal(made)[0] == 503
    assert int(made["Retry-After"]) > 0
    assert Order.objects.count() == 0


@pytest.mark.parametrize("fault", QUICK)
def test_upstream_answers_that_are_malformed_leave_a_true_ledger(
    sandbox: Sandbox, plenty: None, fault: str
) -> None:
    placed = order_of(p10=2)
    sandbox.faults.script(fault=fault, operation="adjust")
    answered = patch(service(), placed, "CONFIRMED")
    assert answered.status_code in (200, 202, 409, 503)
    movement = StockMovement.objects.get(confirmation__order=placed)
    taken = 1000 - stock(sandbox)["10"]
    assert taken in (0, 2)
    if movement.state == "applied":
        assert taken == 2
    elif movement.state in ("rejected", "planned", "void"):
        assert taken == 0


# --- what every answer says to a browser ---------------------------------------------------------


@pytest.fixture
def browser(settings: Settings) -> Iterator[Client]:
    """A manager's browser, over HTTPS, as in production."""
    settings.SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    client = Client(headers={"X-Forwarded-Proto": "https"}, raise_request_exception=False)
    client.force_login(staff("manager"))
    yield client


def answers(browser: Client) -> dict[str, Any]:
    """Return answers of every kind: pages, parts, calls, files, refusals."""
    placed = order_of(p10=1)
    secret = order(owner=member())
    gets = [
        "/", "/nothing", "/health", "/admin/", "/admin/login/", "/admin/second-factor/", LIST,
        "/admin/orders/batch/", "/admin/orders/stockmovement/", "/admin/orders/export/",
        "/admin/orders/user/", "/admin/nothing/", "/admin/inventory/", order_page(placed),
        *(reverse(f"admin:orders_order_{verb}", args=[placed.pk]) for verb in ("confirm", "amend")),
        f"{LIST}{placed.pk}/packing-slip.pdf", f"{LIST}export/orders/",
        "/static/orders/admin.css", "/api", "/api/schema", "/api/docs", ORDERS, url(placed),
        url(placed, "/events"), url(secret), f"{ORDERS}/x", f"{ORDERS}?limit=0",
    ]  # fmt: skip
    found: dict[str, Any] = {path: browser.get(path) for path in gets}
    found["POST"] = browser.post(ORDERS, body(), "application/json")
    found["POST without CSRF"] = Client(enforce_csrf_checks=True).post("/admin/login/")
    found["PATCH"] = browser.patch(url(placed, "/status"), "{", "application/json")
    found["host"] = browser.get("/api", headers={"Host": "evil.example"})
    return found


def test_headers_of_every_answer_leave_a_browser_no_latitude(
    browser: Client, sandbox: Sandbox
) -> None:
    for name, each in answers(browser).items():
        said = each.headers
        policy = said["Content-Security-Policy"]
        assert "unsafe-inline" not in policy, name
        assert "frame-ancestors 'none'" in policy, name
        assert "default-src 'none'" in policy, name
        if "unsafe-eval" in policy:
            assert name.startswith("/admin/") or name == "POST without CSRF", name
        assert said["X-Content-Type-Options"] == "nosniff", name
        assert said.get("X-Frame-Options", "DENY") == "DENY", name
        assert said["Cross-Origin-Opener-Policy"] == "same-origin", name
        of_orders = name.startswith(ORDERS) or name in ("POST", "PATCH")
        allowed = ("no-referrer",) if of_orders else ("no-referrer", "same-origin")
        assert said["Referrer-Policy"] in allowed, name
        if name not in ("POST without CSRF",):
            assert "max-age=31536000; includeSubDomains" in said["Strict-Transport-Security"], name
        assert "X-Powered-By" not in said, name


def test_headers_of_cookies_keep_them_from_scripts_and_other_sites(settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    who = member()
    client = Client(headers={"X-Forwarded-Proto": "https"})
    client.get("/admin/login/")
    client.post("/admin/login/", {"username": who.username, "password": PASSWORD})
    client.get(LIST)
    assert set(client.cookies) >= {"sessionid", "csrftoken", "known_browser"}
    for name, cookie in client.cookies.items():
        if name == "messages":
            continue
        assert cookie["secure"], name
        assert cookie["samesite"] in ("Lax", "Strict"), name
        assert cookie["httponly"] or name == "csrftoken", name  # which our scripts send back


def test_headers_in_production_are_those_for_https_alone() -> None:
    names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT")
    shown = ", settings.".join([*names, "SECURE_HSTS_SECONDS"])
    assert start(COMPLETE, shown) == "True True True 31536000"


@pytest.mark.parametrize("path", ["/health", "/api", ORDERS, "/admin/login/"])
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "localhost:x", "a b"])
def test_hosts_that_are_foreign_are_refused(path: str, host: str) -> None:
    assert guest().get(path, headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("origin", [FOREIGN, "null", "http://localhost:3000", "https://shop.x"])
@pytest.mark.parametrize("path", [ORDERS, "/api/auth/token", "/health", "/admin/login/"])
def test_hosts_and_cors_admit_no_foreign_origin(settings: Settings, path: str, origin: str) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://shop.example.com"]
    asks = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for each in (guest().get(path, headers=asks), guest().options(path, headers=asks)):
        assert not [name for name in each.headers if name.startswith("Access-Control-")]
    asks["Origin"] = "https://shop.example.com"
    allowed = guest().options(path, headers=asks).headers
    expected = None if path.startswith("/admin") else asks["Origin"]
    assert allowed.get("Access-Control-Allow-Origin") == expected
    assert "Access-Control-Allow-Credentials" not in allowed


def test_start_of_production_that_is_complete_passes_django_s_checks() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "orderservice.dev.check_deploy"],
        cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, "no issues" in done.stdout) == (0, True), done.stderr
