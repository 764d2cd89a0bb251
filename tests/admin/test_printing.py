"""Packing slips and invoices from the desk: by whom, of which orders, and recorded."""

from threading import BoundedSemaphore
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.fixtures import Settings

from orders.exports import printing, recording
from orders.models import Export, Order
from orders.status import ExportKind
from tests.admin.conftest import SignIn
from tests.admin.pages import LIST, page, told
from tests.documents.sheets import pages
from tests.factories import order_of, user

pytestmark = pytest.mark.django_db

KINDS = {"slips": ("packing_slips", "Packing slip"), "invoices": ("invoices", "Pro forma")}
MAY = {"viewer": False, "auditor": False, "fulfilment": True, "manager": True}
MATRIX = [(role, kind) for role in MAY for kind in KINDS]


def document(order: Order, kind: str) -> str:
    """Return the address of one order's document."""
    return reverse(f"admin:orders_order_{kind}", args=[order.pk])


def act(client: Client, kind: str, *orders: Order, query: str = "", **fields: object) -> Any:
    """Run a list action on orders."""
    numbers = [each.pk for each in orders]
    return client.post(
        LIST + query, {"action": KINDS[kind][0], "index": 0, "_selected_action": numbers} | fields
    )


def printed(response: Any) -> list[str]:
    """Return which orders' pages a file has."""
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    assert response["Content-Disposition"].startswith("attachment; filename=")
    return [
        number
        for each in pages(response.content)
        for line in each
        if (number := line.removeprefix("Order ")).isdigit()
    ]


@pytest.mark.parametrize(("role", "kind"), MATRIX)
def test_documents_are_offered_to_and_made_by_exactly_those_who_may(
    sign_in: SignIn, role: str, kind: str
) -> None:
    placed = order_of(p10=2)
    client = sign_in(role)
    action, title = KINDS[kind]

    linked = document(placed, kind) in client.get(page(placed)).content.decode()
    offered = f'<option value="{action}"' in client.get(LIST).content.decode()
    one = client.get(document(placed, kind))
    many = act(client, kind, placed)

    assert linked == offered == MAY[role]
    if MAY[role]:
        assert printed(one) == printed(many) == [str(placed.pk)]
        assert any(title in line for line in pages(one.content)[0])
        assert Export.objects.get().kind == kind  # one order's is looking; a selection is taken out
    else:
        assert (one.status_code, many.status_code) == (403, 403)
        assert not Export.objects.exists()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("signed_in", [False, True])
def test_document_for_an_outsider_leads_to_signing_in(kind: str, signed_in: bool) -> None:
    placed = order_of(p10=2)
    client = Client()
    if signed_in:
        client.force_login(user())
    response = client.get(document(placed, kind))
    assert response.status_code == 302
    assert response["Location"] == f"/admin/login/?next={document(placed, kind)}"


@pytest.mark.parametrize("kind", KINDS)
def test_document_of_an_order_that_is_not_there_is_not_found(sign_in: SignIn, kind: str) -> None:
    path = reverse(f"admin:orders_order_{kind}", args=[10**17])
    assert sign_in("manager").get(path).status_code == 404


def test_document_is_only_looked_at(sign_in: SignIn) -> None:
    placed = order_of(p10=2)
    assert sign_in("manager").post(document(placed, "slips")).status_code == 405


def test_document_is_named_for_its_order_and_bears_the_shop(
    sign_in: SignIn, settings: Settings
) -> None:
    settings.SHOP_NAME = "Springfield Goods"
    settings.SHOP_ADDRESS = ["1 Harbour Road", "12345 Springfield"]
    placed = order_of(p10=2)
    response = sign_in("fulfilment").get(document(placed, "slips"))
    assert response["Content-Disposition"] == (
        f'attachment; filename="packing-slip-{placed.pk}.pdf"'
    )
    (text,) = pages(response.content)
    assert text[:3] == ["Springfield Goods", "1 Harbour Road", "12345 Springfield"]
    assert str(placed.public_id) not in "".join(text)


def test_selection_is_one_file_oldest_first_with_a_record(sign_in: SignIn) -> None:
    orders = [order_of(p10=2) for _ in range(3)]
    response = act(sign_in("fulfilment"), "slips", orders[2], orders[0])
    assert printed(response) == [str(orders[0].pk), str(orders[2].pk)]
    kept = Export.objects.get()
    assert (kept.kind, kept.rows, kept.outcome) == ("slips", 2, "complete")
    assert kept.selection == f"Numbers: {orders[0].pk}, {orders[2].pk}"


def test_all_that_match_are_printed_and_the_filter_recorded(sign_in: SignIn) -> None:
    orders = [order_of(p10=2) for _ in range(3)]
    Order.objects.filter(pk=orders[1].pk).update(status="CONFIRMED")
    query = "?status__exact=PENDING"
    response = act(sign_in("manager"), "invoices", orders[0], query=query, select_across="1")
    assert printed(response) == [str(orders[0].pk), str(orders[2].pk)]
    assert Export.objects.get().selection == "Status: Pending"


def test_selection_of_too_many_is_refused_and_told(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.exports.MOST_PRINTED", 2)
    orders = [order_of(p10=2) for _ in range(3)]
    response = act(sign_in("manager"), "slips", *orders)
    assert told(response) == [
        ("error", "More than 2 orders are selected, which is the most in one file.")
    ]
    assert not Export.objects.exists()


def test_selection_while_others_export_is_asked_to_wait(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = BoundedSemaphore(1)
    taken.acquire()
    monkeypatch.setattr(recording, "_slots", taken)
    response = act(sign_in("manager"), "slips", order_of(p10=2))
    assert told(response) == [("error", "Other exports are running; try again in a moment")]


def test_selection_that_can_not_be_made_frees_its_slot_and_is_recorded(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*args: object) -> bytes:
        raise RuntimeError("no")

    slots = BoundedSemaphore(1)
    monkeypatch.setattr(recording, "_slots", slots)
    monkeypatch.setitem(printing._RENDERED, ExportKind.SLIPS, failing)
    with pytest.raises(RuntimeError):
        act(sign_in("manager"), "slips", order_of(p10=2))
    assert slots.acquire(blocking=False)
    assert Export.objects.get().outcome == "broken_off"


def test_file_of_50_orders_costs_as_many_queries_as_one_of_two() -> None:
    numbers = [order_of(p10=2, p9=1).pk for _ in range(50)]
    counts = []
    for some in (numbers[:2], numbers):
        with CaptureQueriesContext(connection) as queries:
            assert len(list(printing.sheets(some))) == len(some)
        counts.append(len(queries))
    assert counts == [2, 2]
