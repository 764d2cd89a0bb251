"""Whose prices an order has: what staff are told on its page."""

import pytest

from orders.models import Order
from tests.admin.conftest import SignIn
from tests.admin.pages import page
from tests.factories import order_of

pytestmark = pytest.mark.usefixtures("committed_db")

NOTICES = {
    "sent": "Prices as sent: nobody has compared them with the catalogue.",
    "staff": "Prices by staff: somebody has changed one or more by hand, and nobody has compared"
    " them with the catalogue since.",
}


@pytest.mark.parametrize("role", ["viewer", "fulfilment", "manager", "auditor"])
@pytest.mark.parametrize("source", ["sent", "staff", "catalogue"])
def test_page_says_when_prices_have_not_been_compared(
    sign_in: SignIn, role: str, source: str
) -> None:
    placed = order_of(p10=2)
    Order.objects.update(price_source=source)
    body = sign_in(role).get(page(placed)).content.decode()
    told = [words for words in NOTICES.values() if f'role="note">{words}</p>' in body]
    assert told == ([NOTICES[source]] if source in NOTICES else [])


def test_page_of_an_order_with_hostile_products_escapes_them(sign_in: SignIn) -> None:
    placed = order_of(p10=1)
    placed.items.update(product_id="<script>alert(1)<")
    body = sign_in("viewer").get(page(placed)).content.decode()
    assert "<script>alert(1)" not in body
    assert "&lt;script&gt;alert(1)&lt;" in body


def test_page_changes_no_mark_by_a_form_that_is_made_up(sign_in: SignIn) -> None:
    placed = order_of(p10=2)
    assert sign_in("manager").post(page(placed), {"price_source": "catalogue"}).status_code == 405
    placed.refresh_from_db()
    assert placed.price_source == "sent"
