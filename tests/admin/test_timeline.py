"""The histories of an order page: in words, cut when long, in a fixed number of statements."""

from typing import Any

import pytest

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.admin import words
from orders.admin.page import contents
from orders.models import Confirmation, Order, OrderEvent
from orders.status import CancelReason, Door, EventKind, HoldReason
from tests.admin.conftest import SignIn
from tests.admin.pages import page
from tests.factories import OPERATOR, order_of

pytestmark = pytest.mark.usefixtures("committed_db")


def test_every_word_of_an_order_s_life_is_worded() -> None:
    assert set(words.EVENTS) == set(EventKind)
    assert set(words.DOORS) == set(Door)
    assert {*CancelReason, *HoldReason} <= set(words.REASONS)


def test_timeline_tells_holds_releases_and_reasons(sign_in: SignIn) -> None:
    placed = order_of(p10=2)
    lifecycle.hold(placed.pk, actor=OPERATOR, reason=HoldReason.ADDRESS)
    lifecycle.release(placed.pk, actor=OPERATOR)
    lifecycle.cancel(placed.pk, actor=OPERATOR, reason=CancelReason.DUPLICATE)
    timeline = sign_in("viewer").get(page(placed)).context["timeline"]
    assert [(each.what, each.change, each.why) for each in timeline] == [
        ("Cancelled", "PENDING → CANCELLED", "ordered twice"),
        ("Released", "", ""),
        ("Put on hold", "", "a question about the address"),
    ]


def grow(placed: Order, events: int, confirmations: int) -> None:
    """Give an order a longer history."""
    OrderEvent.objects.bulk_create(
        OrderEvent(order=placed, kind="held", actor=f"user:{each}", via="api")
        for each in range(events)
    )
    for _ in range(confirmations):
        attempt = Confirmation.objects.create(
            order=placed, state="rejected", actor="system", via="api"
        )
        for each in range(3):
            movement = attempt.movements.create(product_id=f"A{each}", delta=-1, state="void")
            movement.attempts.create(fence=1)
    for each in range(events):
        placed.notes.create(text=f"note {each}")


def test_long_histories_are_cut_and_shown_whole_on_demand(sign_in: SignIn) -> None:
    placed = order_of(p10=2)
    grow(placed, events=60, confirmations=12)
    client = sign_in("manager")

    cut = client.get(page(placed))
    whole = client.get(page(placed) + "?everything")

    def shown(response: Any) -> tuple[int, int, int]:
        context = response.context
        return len(context["timeline"]), len(context["notes"]), len(context["attempts"])

    assert shown(cut) == (contents.MOST_EVENTS, contents.MOST_NOTES, contents.MOST_ATTEMPTS)
    assert shown(whole) == (60, 60, 12)
    assert [cut.content.decode().count('href="?everything"')] == [3]
    assert 'href="?everything"' not in whole.content.decode()
    assert [cut.context["notes"][place].text for place in (0, -1)] == ["note 10", "note 59"]
    assert cut.context["timeline"][0].event.actor == "user:59"


def test_statements_of_the_page_do_not_grow_with_its_histories(
    sign_in: SignIn, sandbox: Sandbox, django_assert_num_queries: Any
) -> None:
    client = sign_in("manager")
    short = order_of("50.00", p10=1)
    grow(short, events=1, confirmations=1)
    long = order_of("50.00", **{f"A{each}": 1 for each in range(100)})
    grow(long, events=200, confirmations=30)
    client.get(page(short))  # Django keeps the content type that it asks for first
    for placed in (short, long):
        with django_assert_num_queries(13):
            client.get(page(placed))
        with django_assert_num_queries(13):
            client.get(page(placed) + "?everything")


def test_statements_of_a_confirmed_order_s_page_do_not_grow_with_its_movements(
    sign_in: SignIn, sandbox: Sandbox, django_assert_num_queries: Any
) -> None:
    client = sign_in("manager")
    client.get(page(order_of(p10=1)))  # Django keeps the content type that it asks for first
    for products in (1, 8):
        stocked = {f"A{each}": 1 for each in range(products)}
        sandbox.store.set_stock(stocked)
        placed = order_of("50.00", **stocked)
        lifecycle.confirm(placed.pk, actor=OPERATOR)
        with django_assert_num_queries(13):  # nobody to name, but what a cancel gives back
            client.get(page(placed))
