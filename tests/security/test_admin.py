"""The admin's sign-in, and requests that no page of it would send."""

import re
from ipaddress import ip_network
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django.fixtures import Settings

from inventory_client.sandbox.server import Sandbox
from orders.models import Order, OrderEvent
from orderservice import rates
from tests.admin.desk import in_review
from tests.admin.pages import LIST, address
from tests.admin.pages import page as order_page
from tests.factories import order, order_of, staff, user
from tests.signin.people import LOGIN, give_password, member

pytestmark = pytest.mark.django_db

HERE, THERE, PROXY = "203.0.113.9", "198.51.100.7", "10.0.0.1"


@pytest.fixture
def _unthrottled(settings: Settings) -> None:
    settings.API_THROTTLES = rates.NONE
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def attempt(name: str, at: str = HERE, **extra: Any) -> Any:
    return give_password(Client(), name, "wrong", REMOTE_ADDR=at, **extra)


@pytest.mark.usefixtures("_unthrottled")
def test_admin_login_locks_after_ten_wrong_passwords_with_a_wait() -> None:
    member(username="kim")
    assert [attempt("kim").status_code for _ in range(10)] == [200] * 9 + [429]
    right = give_password(Client(), "kim", REMOTE_ADDR=HERE)
    assert (right.status_code, 0 < int(right["Retry-After"]) <= 900) == (429, True)
    assert give_password(Client(), "kim", REMOTE_ADDR=THERE).status_code == 302
    member(username="lee")
    assert give_password(Client(), "lee", REMOTE_ADDR=HERE).status_code == 302


@pytest.mark.usefixtures("_unthrottled")
def test_admin_login_answers_for_nobody_as_for_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    member(username="kim")
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    said = {}
    for name in ("kim", "nob"):
        answers = [attempt(name) for _ in range(11)]
        said[name] = [(each.status_code, _page(each, name)) for each in answers]
        said[name].append((len(hashed), ""))
        hashed.clear()
    assert said["kim"] == said["nob"]
    assert said["kim"][-1] == (10, "")  # and none once it is locked


@pytest.mark.usefixtures("_unthrottled")
def test_admin_login_counts_the_client_behind_a_proxy(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]
    member(username="kim")
    for number in range(10):  # what stands left of the client is only what it says
        attempt("kim", PROXY, HTTP_X_FORWARDED_FOR=f"192.0.2.{number}, {HERE}")
    for client, status in ((HERE, 429), (THERE, 302)):
        forwarded = {"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": client}
        assert give_password(Client(), "kim", **forwarded).status_code == status


def paths(sandbox: Sandbox) -> list[str]:
    """Return every address of the admin, of rows that there are."""
    placed, movement = in_review(sandbox)
    clerk = user()
    rows = {"order": placed.pk, "stockmovement": movement.pk, "user": clerk.pk}

    def walk(resolver: URLResolver, before: str) -> list[str]:
        found = []
        for each in resolver.url_patterns:
            path = before + str(each.pattern)
            if isinstance(each, URLPattern):
                model = path.split("/")[3] if path.count("/") > 3 else ""
                found.append(re.sub(r"<[^>]+>", str(rows.get(model, 1)), path))
            else:
                found += walk(each, path)
        return found

    addresses = [path for path in walk(get_resolver(), "/") if path.startswith("/admin/")]
    return sorted({path for path in addresses if "^" not in path and "(" not in path})


@pytest.mark.usefixtures("_unthrottled")
def test_admin_takes_no_post_without_a_csrf_token(sandbox: Sandbox) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user(is_staff=True, is_superuser=True))
    addresses = paths(sandbox)
    before = OrderEvent.objects.count()
    assert len(addresses) > 60
    statuses = {path: client.post(path, {"post": "yes"}).status_code for path in addresses}
    assert {path for path, status in statuses.items() if status != 403} == set()
    assert OrderEvent.objects.count() == before


def test_admin_changes_nothing_on_a_get(sandbox: Sandbox) -> None:
    client = Client()
    client.force_login(user(is_staff=True, is_superuser=True))
    addresses = [path for path in paths(sandbox) if "logout" not in path]
    before = (list(Order.objects.values()), OrderEvent.objects.count())
    statuses = {path: client.get(path).status_code for path in addresses}
    assert (list(Order.objects.values()), OrderEvent.objects.count()) == before
    refused = {re.sub(r"/[^/]*\d[^/]*/", "/…/", p) for p, s in statuses.items() if s == 405}
    assert refused >= {
        "/admin/orders/batch/…/retry/",
        "/admin/orders/order/saved/",
        "/admin/orders/order/saved/…/delete/",
        "/admin/orders/order/…/note/",
        "/admin/orders/stockmovement/…/decide/",
    }
    assert client.get("/admin/logout/").status_code == 405
    assert not {path: status for path, status in statuses.items() if status >= 500}


@pytest.mark.parametrize("role", ["fulfilment", "manager", "superuser"])
def test_admin_ignores_a_status_that_a_crafted_form_sends(role: str) -> None:
    client = Client()
    client.force_login(
        user(is_staff=True, is_superuser=True) if role == "superuser" else staff(role)
    )
    placed = order_of(p10=1)
    forged = {"status": "COMPLETED", "total": "0", "version": "9", "owner": "1", "hold_reason": ""}
    assert client.post(order_page(placed), forged | {"_save": "Save"}).status_code == 405
    assert client.post(f"{LIST}add/", forged).status_code == 403
    assert client.post(f"{LIST}{placed.pk}/delete/", {"post": "yes"}).status_code == 403
    edit = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-number": placed.pk}
    client.post(LIST, edit | {"form-0-status": "COMPLETED", "_save": "Save"})
    noted = client.post(address(placed, "note"), {"text": "x"} | forged)
    assert noted.status_code in (302, 403)
    now = Order.objects.get(pk=placed.pk)
    assert (now.status, now.total, now.version, now.owner) == (
        placed.status,
        placed.total,
        placed.version,
        None,
    )


def test_admin_opens_to_nobody_but_staff(sandbox: Sandbox) -> None:
    addresses = [path for path in paths(sandbox) if not path.startswith(LOGIN)]
    order()
    for client in (Client(), Client()):
        statuses = {path: client.get(path).status_code for path in addresses}
        assert {path for path, status in statuses.items() if status == 200} <= {"/admin/jsi18n/"}
        client.force_login(user())


def _page(answer: Any, name: str) -> str:
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())
    return re.sub(r"<time.*?</time>", "", text).replace(f'value="{name}"', "")
