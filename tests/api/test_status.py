"""PATCH /api/orders/{id}/status: the verbs."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.models import Order, OrderEvent, StockMovement
from orders.status import HoldReason
from orders.stock import ledger
from tests.api.calls import faults, guest, patch, refusal, service, url
from tests.factories import OPERATOR, order_of, stock

pytestmark = pytest.mark.usefixtures("committed_db")


def outcome(answer: Any) -> tuple[int, str, str]:
    shown = answer.json()
    return answer.status_code, shown["status"], shown["stock"]["state"]


def test_confirm_with_products_short_names_each_and_says_so_on_the_order(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 1, "9": 45})
    order = order_of(p10=2, p9=1, p404=3)
    short = [
        {"productId": "10", "requested": 2, "available": 1},
        {"productId": "404", "requested": 3, "available": 0},
    ]

    answer = patch(service(), order, "CONFIRMED")

    assert refusal(answer) == (409, "insufficient_stock")
    assert answer.json()["items"] == short
    after = guest().get(url(order)).json()
    assert (after["status"], after["stock"]["state"]) == ("PENDING", "short")
    assert after["stock"]["items"] == short
    assert stock(sandbox) == {"10": 1, "9": 45}


def test_confirm_with_inventory_down_changes_nothing(sandbox: Sandbox) -> None:
    sandbox.switches.update({"down": "503"})
    order = order_of(p10=2)

    answer = patch(service(), order, "CONFIRMED")

    assert refusal(answer) == (503, "inventory_unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert guest().get(url(order)).json()["status"] == "PENDING"


def test_confirm_while_the_product_is_busy_is_accepted(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    other = order_of(p10=1)
    ledger.open_confirmations([other.pk], actor="system", via="api")
    StockMovement.objects.update(state="claimed", lease_until=timezone.now() + timedelta(hours=1))
    order = order_of(p10=2)

    answer = patch(service(), order, "CONFIRMED")

    assert outcome(answer) == (202, "PENDING", "settling")
    assert answer.headers["Retry-After"] == "2"


@pytest.mark.parametrize("state", ["settling", "review"])
def test_status_that_the_order_has_is_answered_at_once_also_while_stock_settles(state: str) -> None:
    order = order_of(p10=2)
    Order.objects.filter(pk=order.pk).update(status="CANCELLED", stock_state=state)
    answer = patch(service(), order, "CANCELLED")
    assert outcome(answer) == (200, "CANCELLED", state)
    assert "Retry-After" not in answer.headers


def unknown(sandbox: Sandbox) -> Order:
    """Return an order whose confirmation has lost the answer to its call."""
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    sandbox.faults.script("reset_after")
    assert outcome(patch(service(), order, "CONFIRMED")) == (202, "PENDING", "settling")
    return order


def test_confirmation_that_a_person_must_look_at_is_asked_for_seldom(sandbox: Sandbox) -> None:
    order = unknown(sandbox)
    StockMovement.objects.update(state="review", resolved_at=timezone.now(), settles_at=None)
    Order.objects.update(stock_state="review")
    answer = patch(service(), order, "CONFIRMED")
    assert outcome(answer) == (202, "PENDING", "review")
    assert answer.headers["Retry-After"] == "60"


def test_confirm_of_what_is_being_cancelled_is_refused(sandbox: Sandbox) -> None:
    order, staff = unknown(sandbox), service()
    assert outcome(patch(staff, order, "CANCELLED")) == (202, "PENDING", "settling")
    answer = patch(staff, order, "CONFIRMED")
    assert refusal(answer) == (409, "illegal_transition")
    assert "being cancelled" in answer.json()["detail"]


def test_cancel_that_is_repeated_joins_the_first_whatever_its_tag(sandbox: Sandbox) -> None:
    order, staff = unknown(sandbox), service()
    tag = guest().get(url(order)).headers["ETag"]
    answers = [
        staff.patch(
            url(order, "/status"), {"status": "CANCELLED"}, format="json", headers={"If-Match": tag}
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert OrderEvent.objects.filter(kind="cancellation_requested").count() == 1
    late = staff.patch(
        url(order_of(p10=1), "/status"),
        {"status": "CANCELLED"},
        format="json",
        headers={"If-Match": tag},
    )
    assert refusal(late) == (412, "stale_version")


def test_status_reports_a_reason_that_does_not_go_beside_all_other_faults() -> None:
    answer = service().patch(
        url(order_of(p10=1), "/status"),
        {"status": "CONFIRMED", "reason": "x", "foo": 1},
        format="json",
    )
    assert faults(answer) == [("foo", "unknown_field"), ("reason", "not_applicable")]


def test_cancel_of_a_confirmed_order_gives_back_its_stock(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    staff = service("manager")
    assert outcome(patch(staff, order, "CONFIRMED")) == (200, "CONFIRMED", "clear")
    assert stock(sandbox) == {"10": 43}

    answer = patch(staff, order, "CANCELLED", reason="Damaged")

    assert outcome(answer) == (200, "CANCELLED", "clear")
    assert stock(sandbox) == {"10": 45}
    assert [note.text for note in order.notes.all()] == ["Damaged"]


@pytest.mark.parametrize("status", ["PENDING", "CONFIRMED", "COMPLETED", "CANCELLED"])
def test_status_that_the_order_is_in_changes_nothing_even_under_a_stale_tag(status: str) -> None:
    order = order_of(p10=2)
    Order.objects.filter(pk=order.pk).update(status=status)

    answer = patch(service(), order, status, headers={"If-Match": '"stale"'})

    assert outcome(answer) == (200, status, "clear")
    assert answer.headers["ETag"] == f'"{order.number}-1"'
    assert not OrderEvent.objects.exists()


@pytest.mark.parametrize(
    ("current", "wanted"),
    [
        ("PENDING", "COMPLETED"),
        ("CONFIRMED", "PENDING"),
        ("COMPLETED", "PENDING"),
        ("COMPLETED", "CONFIRMED"),
        ("COMPLETED", "CANCELLED"),
        ("CANCELLED", "PENDING"),
        ("CANCELLED", "CONFIRMED"),
        ("CANCELLED", "COMPLETED"),
    ],
)
def test_status_that_can_not_follow_is_refused(current: str, wanted: str) -> None:
    order = order_of(p10=2)
    Order.objects.filter(pk=order.pk).update(status=current)
    assert refusal(patch(service(), order, wanted)) == (409, "illegal_transition")


@pytest.mark.parametrize("tags", ["{tag}", "*", '"x", {tag}'])
def test_confirm_with_a_matching_tag_is_done(sandbox: Sandbox, tags: str) -> None:
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    tag = guest().get(url(order)).headers["ETag"]

    answer = patch(service(), order, "CONFIRMED", headers={"If-Match": tags.format(tag=tag)})

    assert outcome(answer) == (200, "CONFIRMED", "clear")
    assert answer.headers["ETag"] not in ("", tag)
    assert answer.headers["ETag"] == guest().get(url(order)).headers["ETag"]


@pytest.mark.parametrize("tags", ['"100001-0"', "W/{tag}", "{bare}", "garbage", "", '"', "é"])
@pytest.mark.parametrize("status", ["CONFIRMED", "CANCELLED"])
def test_status_with_a_stale_or_unusable_tag_is_refused(tags: str, status: str) -> None:
    order = order_of(p10=2)
    tag = guest().get(url(order)).headers["ETag"]
    header = tags.format(tag=tag, bare=tag.strip('"'))
    answer = patch(service(), order, status, headers={"If-Match": header})
    assert refusal(answer) == (412, "stale_version")
    assert not OrderEvent.objects.exists()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, [("status", "required")]),
        ({"status": "confirmed"}, [("status", "invalid_choice")]),
        ({"status": "SHIPPED"}, [("status", "invalid_choice")]),
        ({"status": None}, [("status", "null")]),
        ({"status": ["CONFIRMED"]}, [("status", "invalid_choice")]),
        ({"status": True}, [("status", "invalid_choice")]),
        ({"status": "CANCELLED", "reason": ""}, [("reason", "blank")]),
        ({"status": "CANCELLED", "reason": "x" * 501}, [("reason", "max_length")]),
        ({"status": "CANCELLED", "reason": 1}, [("reason", "invalid")]),
        ({"status": "CONFIRMED", "reason": "x"}, [("reason", "not_applicable")]),
        ({"status": "CONFIRMED", "total": 0}, [("total", "unknown_field")]),
    ],
)
def test_status_with_a_bad_body_is_refused(
    change: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    order = order_of(p10=2)
    answer = service().patch(url(order, "/status"), change, format="json")
    assert faults(answer) == expected


def test_confirm_of_an_order_on_hold_is_refused_until_it_is_released(sandbox: Sandbox) -> None:
    sandbox.store.set_stock({"10": 45})
    order = order_of(p10=2)
    lifecycle.hold(order.pk, actor=OPERATOR, reason=HoldReason.PAYMENT)
    for client in (service("fulfilment"), service("manager")):
        answer = patch(client, order, "CONFIRMED")
        assert refusal(answer) == (409, "on_hold")
        assert "until somebody releases it" in answer.json()["detail"]
    assert stock(sandbox) == {"10": 45}
    assert guest().get(url(order)).json()["status"] == "PENDING"

    lifecycle.release(order.pk, actor=OPERATOR)

    assert outcome(patch(service(), order, "CONFIRMED")) == (200, "CONFIRMED", "clear")


def test_confirm_of_an_order_on_hold_by_who_may_not_confirm_says_nothing_of_the_hold(
    sandbox: Sandbox,
) -> None:
    order = order_of(p10=2)
    lifecycle.hold(order.pk, actor=OPERATOR, reason=HoldReason.FRAUD)
    answer = patch(service("viewer"), order, "CONFIRMED")
    assert refusal(answer) == (403, "forbidden")
    assert "fraud" not in answer.content.decode()


def test_cancel_of_an_order_on_hold_is_allowed(sandbox: Sandbox) -> None:
    order = order_of(p10=2)
    lifecycle.hold(order.pk, actor=OPERATOR, reason=HoldReason.FRAUD)
    answer = patch(service("manager"), order, "CANCELLED")
    assert outcome(answer) == (200, "CANCELLED", "clear")
