"""Exports: offered to and made by exactly those who may, of what the list shows, and recorded."""

from collections.abc import Iterator
from threading import BoundedSemaphore
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.signals import request_finished
from django.db import OperationalError, close_old_connections
from django.test import Client
from django.urls import reverse

from orders.exports import begin, csv_of, recording, writing
from orders.models import Export, Order
from orders.status import ExportKind
from tests.admin.conftest import SignIn
from tests.admin.pages import LIST, told
from tests.exports.rows import table
from tests.factories import actor, order, order_of, staff, user

pytestmark = pytest.mark.django_db

KINDS = ("orders", "lines")
ROLES = ("viewer", "fulfilment", "manager", "auditor")
MATRIX = [(role, kind) for role in ROLES for kind in KINDS]
AUDIT = "/admin/orders/export/"


@pytest.fixture(autouse=True)
def slots(monkeypatch: pytest.MonkeyPatch) -> Iterator[BoundedSemaphore]:
    """Give each test slots of its own, and see that all of them are free again at its end."""
    fresh = BoundedSemaphore(2)
    monkeypatch.setattr(recording, "_slots", fresh)
    yield fresh
    assert fresh.acquire(blocking=False)
    assert fresh.acquire(blocking=False)


def export(kind: str) -> str:
    """Return the address of an export's page."""
    return reverse(f"admin:orders_order_export_{kind}")


def act(client: Client, kind: str, *orders: Order, query: str = "", **fields: object) -> Any:
    """Run a list action on orders."""
    numbers = [each.pk for each in orders]
    return client.post(
        LIST + query,
        {"action": f"export_{kind}", "index": 0, "_selected_action": numbers} | fields,
    )


def file_of(response: Any) -> list[dict[str, str]]:
    """Return the rows of a file that was streamed."""
    assert response.status_code == 200
    return table(b"".join(response.streaming_content))


def leave(response: Any) -> None:
    """Close an answer as gunicorn does for a client that went away, read or not."""
    request_finished.disconnect(close_old_connections)  # it would end the test's transaction
    response.close()
    request_finished.connect(close_old_connections)


def numbers(rows: list[dict[str, str]]) -> set[int]:
    """Return which orders a file is about."""
    return {int(row.get("number") or row["order_number"]) for row in rows}


@pytest.mark.parametrize(("role", "kind"), MATRIX)
def test_export_is_offered_and_works_for_exactly_those_who_may(
    sign_in: SignIn, role: str, kind: str
) -> None:
    placed = order_of(p10=2)
    client = sign_in(role)

    offered = f'<option value="export_{kind}"' in client.get(LIST).content.decode()
    chosen = act(client, kind, placed)
    shown = client.get(export(kind))
    sent = client.post(export(kind))

    if role == "manager":
        assert (offered, chosen.status_code, shown.status_code) == (True, 302, 200)
        assert numbers(file_of(sent)) == {placed.pk}
    else:
        statuses = (chosen.status_code, shown.status_code, sent.status_code)
        assert (offered, statuses) == (False, (403, 403, 403))
        assert not Export.objects.exists()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("signed_in", [False, True])
def test_export_by_an_outsider_leads_to_signing_in(kind: str, signed_in: bool) -> None:
    order_of(p10=2)
    client = Client()
    if signed_in:
        client.force_login(user())
    for response in (client.get(export(kind)), client.post(export(kind))):
        assert response.status_code == 302
        assert response["Location"] == f"/admin/login/?next={export(kind)}"
    assert not Export.objects.exists()


def test_export_by_who_may_export_but_not_view_is_refused() -> None:
    member = staff("manager")
    group = Group.objects.create(name="odd")
    group.permissions.set(Group.objects.get(name="manager").permissions.all())
    group.permissions.remove(group.permissions.get(codename="view_order"))
    member.groups.set([group])
    client = Client()
    client.force_login(member)
    assert client.post(export("orders")).status_code == 403


@pytest.mark.parametrize("kind", KINDS)
def test_download_without_a_csrf_token_is_refused(kind: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff("manager"))
    assert client.post(export(kind)).status_code == 403
    assert not Export.objects.exists()


def test_get_of_an_export_sends_and_records_nothing(sign_in: SignIn) -> None:
    order_of(p10=2)
    client = sign_in("manager")
    response = client.get(export("orders"))
    assert ">1 order<" in response.content.decode()
    assert response["Content-Type"].startswith("text/html")
    assert not Export.objects.exists()
    assert client.put(export("orders")).status_code == 405


@pytest.mark.parametrize("kind", KINDS)
def test_action_on_selected_orders_leads_to_a_file_of_just_these(
    sign_in: SignIn, kind: str
) -> None:
    first, _, third = (order_of(p10=2, p9=1) for _ in range(3))
    client = sign_in("manager")
    response = act(client, kind, first, third)
    assert response["Location"] == f"{export(kind)}?numbers={third.pk},{first.pk}"
    assert numbers(file_of(client.post(response["Location"]))) == {first.pk, third.pk}


@pytest.mark.parametrize("kind", KINDS)
def test_action_on_all_that_match_leads_to_a_file_of_the_filter(sign_in: SignIn, kind: str) -> None:
    wanted = [order_of(p10=2) for _ in range(3)]
    Order.objects.filter(pk__in=[each.pk for each in wanted]).update(status="CONFIRMED")
    order_of(p10=2)
    client = sign_in("manager")
    query = "?status__exact=CONFIRMED&o=1&p=0"
    response = act(client, kind, wanted[0], query=query, select_across="1")
    assert response["Location"] == f"{export(kind)}?status__exact=CONFIRMED"
    rows = file_of(client.post(response["Location"]))
    assert numbers(rows) == {each.pk for each in wanted}


def test_export_honours_search_and_filters_as_the_list_does(sign_in: SignIn) -> None:
    wanted = order_of(pX7=1)
    other = order_of(pX7=1)
    Order.objects.filter(pk=other.pk).update(status="CANCELLED")
    order_of(p1=1)
    client = sign_in("manager")
    response = client.post(export("orders") + "?q=X7&status__exact=PENDING")
    assert numbers(file_of(response)) == {wanted.pk}
    assert numbers(file_of(client.post(export("orders") + "?q=X7"))) == {wanted.pk, other.pk}


@pytest.mark.parametrize(
    "query",
    ["numbers=", "numbers=1,x", "numbers=-1", "numbers=1,", f"numbers={'9' * 19}", "numbers=²"],
)
def test_export_of_what_is_no_number_is_not_found(sign_in: SignIn, query: str) -> None:
    client = sign_in("manager")
    assert client.get(f"{export('orders')}?{query}").status_code == 404
    assert client.post(f"{export('orders')}?{query}").status_code == 404


def test_export_of_a_filter_that_the_list_does_not_have_is_refused(sign_in: SignIn) -> None:
    client = sign_in("manager")
    assert client.post(export("orders") + "?owner__password=x").status_code in (400, 404)
    assert client.post(export("orders") + "?nonsense=1").status_code in (400, 404)


def test_action_on_more_orders_than_an_address_holds_says_what_to_do(sign_in: SignIn) -> None:
    many = [order(number=10**16 + n) for n in range(200)]
    response = act(sign_in("manager"), "orders", *many)
    assert told(response) == [
        ("error", "These are too many to name one by one: filter the list and select all.")
    ]


def test_file_is_streamed_named_and_never_kept(sign_in: SignIn) -> None:
    order_of(p10=2)
    response = sign_in("manager").post(export("lines"))
    assert response.streaming
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="lines-20')
    assert "no-store" in response["Cache-Control"]
    assert len(file_of(response)) == 1


def test_export_is_recorded_with_who_what_and_how_much(sign_in: SignIn) -> None:
    for _ in range(3):
        order_of(p10=2, p9=1)
    client = sign_in("manager")
    response = client.post(export("lines") + "?q=10&p=3&status__exact=PENDING")
    begun = Export.objects.get()
    assert (begun.outcome, begun.rows, begun.ended_at) == ("started", 0, None)
    file_of(response)
    done = Export.objects.get()
    assert (done.user.username, done.kind, done.outcome) == ("manager", "lines", "complete")
    assert (done.rows, done.selection) == (6, "Status: Pending; Search: 10")
    assert done.ended_at is not None
    assert done.ended_at >= done.started_at


def test_export_that_is_left_in_the_middle_is_recorded_as_broken_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, "MOST_ORDERS", 2)
    for _ in range(6):
        order_of(p10=2)
    kind = ExportKind.ORDERS
    running = begin(kind, csv_of(kind, Order.objects.all()), actor=actor("manager"))
    next(running), next(running), next(running)
    running.close()
    running.close()
    kept = Export.objects.get()
    assert (kept.outcome, kept.rows) == ("broken_off", 4)


def test_export_that_nobody_reads_frees_its_slot(sign_in: SignIn) -> None:
    response = sign_in("manager").post(export("orders"))
    leave(response)
    assert Export.objects.get().outcome == "broken_off"


def test_export_that_fails_in_the_middle_breaks_the_answer_and_is_recorded(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*args: object) -> Iterator[list[Any]]:
        yield []
        raise OperationalError("the database went away")

    monkeypatch.setitem(writing._ROWS, ExportKind.ORDERS, failing)
    response: Any = sign_in("manager").post(export("orders"))
    with pytest.raises(OperationalError):
        b"".join(response.streaming_content)
    assert Export.objects.get().outcome == "broken_off"


def test_export_beyond_what_may_run_at_once_is_asked_to_wait(
    sign_in: SignIn, slots: BoundedSemaphore
) -> None:
    client = sign_in("manager")
    slots.acquire()
    slots.acquire()
    response = client.post(export("orders"))
    slots.release()
    assert (response.status_code, response["Retry-After"]) == (503, "10")
    assert "Other exports are running" in response.content.decode()
    assert not Export.objects.exists()
    file_of(client.post(export("orders")))
    slots.release()


def test_export_without_its_record_does_not_begin(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**fields: object) -> None:
        raise OperationalError("no")

    monkeypatch.setattr(Export.objects, "create", refused)
    with pytest.raises(OperationalError):
        sign_in("manager").post(export("orders"))


@pytest.mark.parametrize("role", ROLES)
def test_audit_trail_is_shown_to_auditors_and_managers_and_changed_by_nobody(
    sign_in: SignIn, role: str
) -> None:
    member = staff("manager", username="morgan")
    row = Export.objects.create(
        user=member, kind="orders", selection="search: <b>doe</b>", rows=1234, outcome="complete"
    )
    client = sign_in(role)
    response = client.get(AUDIT)
    if role not in ("auditor", "manager"):
        assert response.status_code == 403
        return
    body = response.content.decode()
    for shown in ("morgan", "orders, CSV", "search: &lt;b&gt;doe&lt;/b&gt;", "1,234", "complete"):
        assert shown in body
    assert AUDIT in client.get("/admin/").content.decode()
    assert client.post(f"{AUDIT}{row.pk}/change/", {"rows": 1}).status_code == 405
    assert client.post(f"{AUDIT}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{AUDIT}add/").status_code == 403


def test_audit_trail_costs_as_many_queries_for_20_exports_as_for_one(
    sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        Export.objects.create(user=staff("manager"), kind="orders")
    client = sign_in("auditor")
    with django_assert_max_num_queries(8):
        client.get(AUDIT)
