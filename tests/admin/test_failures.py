"""The list of failed confirmations."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import Confirmation
from tests.admin.conftest import SignIn
from tests.admin.pages import page
from tests.factories import order, staff

pytestmark = pytest.mark.django_db

FAILURES = "/admin/orders/confirmation/"


def failed(**fields: Any) -> Confirmation:
    return Confirmation.objects.create(
        **{
            "order": order(),
            "actor": f"user:{staff('manager').pk}",
            "via": "admin",
            "state": "rejected",
            "failure": "inventory_refused",
            "settled_at": timezone.now(),
        }
        | fields
    )


def test_failures_lead_to_their_orders_and_name_who_asked(sign_in: SignIn) -> None:
    kept = failed(actor=f"user:{staff('manager', username='morgan').pk}")
    for state in ("running", "confirmed", "cancelled"):
        failed(state=state)
    client = sign_in("auditor")
    response = client.get(FAILURES)
    assert [row.pk for row in response.context["cl"].result_list] == [kept.pk]
    assert "morgan" in response.content.decode()
    assert client.get(f"{FAILURES}{kept.pk}/change/").headers["Location"] == page(kept.order)


def test_failures_of_an_unknown_reason_are_none(sign_in: SignIn) -> None:
    failed()
    response = sign_in("manager").get(FAILURES, {"failure__exact": "x' OR 1=1"})
    assert list(response.context["cl"].result_list) == []


def test_failures_cost_as_many_queries_for_20_as_for_one(sign_in: SignIn) -> None:
    client = sign_in("manager")
    counts = []
    for more in (1, 19):
        for _ in range(more):
            failed()
        with CaptureQueriesContext(connection) as queries:
            client.get(FAILURES)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 9


def test_failures_are_hidden_from_a_viewer_and_changed_by_nobody(sign_in: SignIn) -> None:
    kept = failed()
    viewer, manager = sign_in("viewer"), sign_in("manager")
    for path in (FAILURES, f"{FAILURES}{kept.pk}/change/"):
        assert viewer.get(path).status_code == 403
    assert manager.post(f"{FAILURES}{kept.pk}/change/", {"state": "confirmed"}).status_code == 405
    for path in ("add/", f"{kept.pk}/delete/"):
        assert manager.post(FAILURES + path, {"post": "yes"}).status_code == 403
