"""What we show, log and keep: escaped, silent about people, and hashed."""

import re
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.exports import csv_of
from orders.models import ApiKey, Order, OrderNote
from orders.status import ExportKind, HoldReason
from tests.admin.desk import in_review, shown
from tests.admin.pages import LIST, act, address
from tests.admin.pages import page as order_page
from tests.api.calls import ORDERS, create, guest, item, key_of, refusal, signed_in, url, with_key
from tests.canary import written
from tests.exports.rows import table
from tests.factories import OPERATOR, order_of, staff, user
from tests.security.callers import with_token
from tests.signin.people import PASSWORD, member

pytestmark = pytest.mark.django_db

SCRIPT = "<script>alert(1)</script>"
FIELDS = ("full_name", "address", "city", "customer_reference")


def hostile(sandbox: Sandbox) -> tuple[Order, dict[str, str]]:
    """Return an order that says SCRIPT wherever it may, and the pages that show it."""
    placed, movement = in_review(sandbox)
    Order.objects.filter(pk=placed.pk).update(
        **dict.fromkeys(FIELDS, SCRIPT), email=f'"{SCRIPT}"@example.com', zip_code="<b>1</b>"
    )
    placed.items.update(product_id=SCRIPT.replace("/", "|"))
    clerk = staff("manager", username="clerk", first_name=SCRIPT)
    OrderNote.objects.create(order=placed, author=clerk, text=SCRIPT)
    pending = order_of(p10=1)
    Order.objects.filter(pk=pending.pk).update(**dict.fromkeys(FIELDS, SCRIPT))
    lifecycle.hold(pending.pk, actor=OPERATOR, reason=HoldReason.OTHER, note=SCRIPT)
    pages = {
        "list": LIST,
        "list, sorted out": f"{LIST}?q={SCRIPT}",
        "dashboard": "/admin/",
        "order": order_page(placed),
        "order on hold": order_page(pending),
        "history": reverse("admin:orders_order_history", args=[placed.pk]),
        "review": shown(movement),
        "users": "/admin/orders/user/",
        **{verb: address(pending, verb) for verb in ("cancel", "release", "amend")},
    }
    return pending, pages


def test_output_of_a_script_in_a_name_is_escaped_on_every_page(sandbox: Sandbox) -> None:
    pending, pages = hostile(sandbox)
    client = Client()
    client.force_login(user(is_staff=True, is_superuser=True, first_name=SCRIPT))
    bodies = {name: client.get(path, follow=True).content.decode() for name, path in pages.items()}
    bodies["asked"] = act(client, "cancel", pending).content.decode()
    showing = {name for name, body in bodies.items() if "&lt;script&gt;" in body}
    assert showing >= {"list", "order", "order on hold", "cancel", "amend"}
    for name, body in bodies.items():
        assert SCRIPT not in body, name
        assert "<b>1</b>" not in body, name
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>\s*alert", body), name


def test_output_of_the_api_is_json_that_no_browser_takes_for_a_page(plenty: None) -> None:
    made = create(guest(), fullName=SCRIPT)
    assert made.json()["fullName"] == SCRIPT
    for answer in (made, guest().get(f"{ORDERS}/{SCRIPT}"), guest().get(f"/api/{SCRIPT}")):
        assert answer.headers["Content-Type"].startswith("application/")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("formula", ["=cmd()", "+1", "-1", "@x", "\t=1", " =1", "＝1"])  # noqa: RUF001
def test_output_of_a_formula_in_a_file_is_neutralised(formula: str) -> None:
    placed, typed = order_of(p10=1), f"{formula}Z9"
    Order.objects.filter(pk=placed.pk).update(
        **dict.fromkeys(FIELDS, typed), email=f"{typed}@x.org"
    )
    for kind in (ExportKind.ORDERS, ExportKind.LINES):
        chunks = csv_of(kind, Order.objects.all())
        [row] = table(b"".join(chunk.data for chunk in chunks))
        cells = [value for value in row.values() if "Z9" in value]
        assert len(cells) > 1
        assert all(value.startswith("'") for value in cells)


def test_logs_of_an_order_s_life_hold_nothing_of_it(sandbox: Sandbox, plenty: None) -> None:
    canaries = {"email": "canary@example.net", "address": "7 Canary Row", "fullName": "Canary Bird"}
    with written() as lines:
        made: Any = create(guest(), headers={"Idempotency-Key": "canary-key"}, **canaries).json()
        placed = Order.objects.get(public_id=made["id"])
        key = key_of(staff("manager"))
        with_key(key).patch(url(placed, "/status"), {"status": "CONFIRMED"}, format="json")
        guest().get(url(placed))
        guest().get(url(placed, "/nothing"))
        guest().get(url(placed), headers={"Host": "evil.example"})
        guest().delete(url(placed))
        Client(enforce_csrf_checks=True).post(f"/admin/{made['id']}")
        create(guest(), items=[item(quantity=0)], **canaries)
        sandbox.switches.update({"down": "503"})
        create(guest(), **canaries)
        sandbox.switches.update({"down": ""})
    said = "\n".join(lines)
    assert "inventory_call_failed" in said
    for secret in (made["id"], key, *canaries.values(), "canary-key"):
        assert secret not in said
        assert secret.replace("-", "") not in said


def test_credentials_stand_in_no_table_as_they_are(plenty: None) -> None:
    who = member()
    key = key_of(who)
    pair = (
        guest()
        .post("/api/auth/token", {"username": who.username, "password": PASSWORD}, format="json")
        .json()
    )
    create(with_key(key))
    create(with_token(pair["access"]))
    secrets = {"password": PASSWORD, "key": key, "its secret half": key.partition(".")[2], **pair}
    for model in apps.get_models():
        assert issubclass(model, models.Model)
        for row in model._default_manager.values():
            for name, secret in secrets.items():
                assert str(secret) not in str(row) or name == "expiresIn", (model, name)


def test_credentials_can_be_revoked_and_tell_when_they_were_used() -> None:
    who = member()
    client = with_key(key_of(who))
    assert client.get(ORDERS).status_code == 200
    row = ApiKey.objects.get()
    assert row.last_used_at is not None
    assert (timezone.now() - row.last_used_at).total_seconds() < 60
    ApiKey.objects.update(revoked=True)
    assert refusal(client.get(ORDERS)) == (401, "authentication_failed")


def test_credentials_are_shown_once() -> None:
    admin = signed_in(user(is_staff=True, is_superuser=True))
    service = staff("fulfilment")
    admin.post("/admin/orders/apikey/add/", {"name": "shop", "user": service.pk})
    key = ApiKey.objects.get()
    page = admin.get("/admin/orders/apikey/").content.decode()
    [secret] = re.findall(rf"({key.prefix}\.\w{{32}}) ", page)
    assert with_key(secret).get(ORDERS).status_code == 200
    for path in ("/admin/orders/apikey/", f"/admin/orders/apikey/{key.pk}/change/", "/admin/"):
        assert secret not in admin.get(path, follow=True).content.decode()
