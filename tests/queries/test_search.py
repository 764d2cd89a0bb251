"""Searching orders by words, in each of the forms that the statements take."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from orders.models import Order
from orders.queries import Found, OrderFilter, Sort, find_all, lengths, page, paging
from orders.queries.filtering import MANY, Plan
from tests.factories import order, order_of

pytestmark = pytest.mark.django_db

NOWHERE = Plan(rows=MANY, cost=0)


@pytest.fixture(params=["collected", "windowed", "beyond the window"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the search take the statements for few matches, or those for many."""
    if request.param != "collected":
        monkeypatch.setattr(Found, "plan", NOWHERE)
    if request.param == "beyond the window":
        monkeypatch.setattr(paging, "WINDOW", 0)
    return str(request.param)


def paged(limit: int = 10, **wanted: object) -> list[int]:
    found = find_all(Order.objects.all(), OrderFilter(**wanted))  # type: ignore[arg-type]
    shown = page(found, Sort.NUMBER, side="below", key=None, limit=limit)
    assert not shown.more_above
    return shown.numbers


def whole(**wanted: object) -> list[int]:
    orders = find_all(Order.objects.all(), OrderFilter(**wanted)).orders().order_by("-number")  # type: ignore[arg-type]
    return [each.pk for each in orders]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ann", "a"),
        ("ANN L", "a"),
        ("n@exam", "a"),
        ("example", "cba"),
        ("élo", "b"),
        ("ÉLO", "b"),
        ("straße", "c"),
        ("STRASSE", ""),
        ("x-100", "b"),
        ("x-10", "c"),
        ("X-10", ""),
        ("-10", ""),
        ("10", "a"),
        ("1", ""),
        ("7%", ""),
        ("100%", "c"),
        ("_00", ""),
        ("\\", ""),
        ("' OR 1=1 --", ""),
    ],
)
def test_search_finds_parts_of_names_emails_and_products(form: str, words: str, found: str) -> None:
    a, b, c = order_of(p10=1), order(), order()
    for made, product in ((b, "X-100"), (c, "x-10")):
        made.items.create(product_id=product, quantity=1, unit_price=1)
    names = {a.pk: "a", b.pk: "b", c.pk: "c"}
    for made, name, email in (
        (a, "Ann Lee", "ann@example.com"),
        (b, "Élodie", "e@example.org"),
        (c, "Straße 100%", "c@example.net"),
    ):
        Order.objects.filter(pk=made.pk).update(full_name=name, email=email)
    assert "".join(names[number] for number in paged(q=words)) == found
    assert "".join(names[number] for number in whole(q=words)) == found


@pytest.mark.parametrize("words", ["{n}", "#{n}"])
def test_search_for_a_number_finds_that_order_and_who_has_it_in_the_name(
    form: str, words: str
) -> None:
    wanted, other = order(), order()
    named = order(full_name=f"Club {wanted.pk}")
    found = [named.pk, wanted.pk] if words == "{n}" else [wanted.pk]
    assert paged(q=words.format(n=wanted.pk)) == whole(q=words.format(n=wanted.pk)) == found
    assert other.pk not in found


def test_order_that_matches_in_several_ways_is_found_once(form: str) -> None:
    made = order_of(p100=1, p1001=1, p1002=2)
    Order.objects.filter(pk=made.pk).update(full_name="100", email="100@example.com")
    assert paged(q="100") == whole(q="100") == [made.pk]


def test_search_keeps_to_the_filters(form: str) -> None:
    confirmed = order(status="CONFIRMED", city="Lyon")
    order(city="Lyon")
    order(status="CONFIRMED")
    assert paged(q="doe", status="CONFIRMED", city="LYON") == [confirmed.pk]
    assert whole(q="doe", status="CONFIRMED", city="LYON") == [confirmed.pk]


def test_page_of_a_common_word_ends_where_the_limit_says(form: str) -> None:
    made = [order().pk for _ in range(5)][::-1]
    found = find_all(Order.objects.all(), OrderFilter(q="doe"))
    first = page(found, Sort.NUMBER, side="below", key=None, limit=2)
    assert (first.numbers, first.more_below, first.more_above) == (made[:2], True, False)
    second = page(found, Sort.NUMBER, side="below", key=first.keys[-1], limit=3)
    assert (second.numbers, second.more_below, second.more_above) == (made[2:], False, True)


def test_page_by_age_keeps_to_its_period_and_the_words(form: str) -> None:
    made = [order().pk for _ in range(6)]
    named = order(full_name="Ann").pk
    first = datetime(2026, 1, 1, tzinfo=UTC)
    for day, number in enumerate([made[0], made[1], named, *made[2:]]):
        Order.objects.filter(pk=number).update(created_at=first + timedelta(days=day))
    wanted = OrderFilter(q="doe", created_from=first, created_before=first + timedelta(days=6))
    found = find_all(Order.objects.all(), wanted)
    seen = page(found, Sort.AGE, side="below", key=None, limit=3)
    assert (seen.numbers, seen.more_below) == ([made[4], made[3], made[2]], True)
    rest = page(found, Sort.AGE, side="below", key=seen.keys[-1], limit=3)
    assert (rest.numbers, rest.more_below) == ([made[1], made[0]], False)
    oldest = page(found, Sort.AGE, side="above", key=None, limit=3)
    assert (oldest.numbers, oldest.more_above) == ([made[2], made[1], made[0]], True)


def test_count_of_few_is_exact_and_of_many_an_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        order()

    def count() -> str:
        found = find_all(Order.objects.all(), OrderFilter(q="doe"))
        return str(page(found, Sort.NUMBER, side="below", key=None, limit=1).count)

    assert count() == "3"
    for rows, cost, exact, said in (
        (123_456, 1.0, 10_000, "about 123,456"),
        (8_000, 1e6, 10_000, "about 8,000"),
        (1, 1.0, 2, "more than 2"),
        (3, 1.0, 2, "about 3"),
    ):
        monkeypatch.setattr(Found, "plan", Plan(rows, cost))
        monkeypatch.setattr(paging, "EXACT", exact)
        assert count() == said


def test_plan_of_a_search_is_what_the_planner_expects_of_all_its_ways() -> None:
    order()
    whole_list = find_all(Order.objects.all(), OrderFilter())
    some = find_all(Order.objects.all(), OrderFilter(q="doe"))
    assert whole_list.plan.rows > 0
    assert some.plan.cost > 0


def test_search_among_no_orders_finds_none() -> None:
    order()
    found = find_all(Order.objects.none(), OrderFilter(q="doe"))
    assert list(found.orders()) == []
    assert page(found, Sort.NUMBER, side="below", key=None, limit=1).keys == []


def test_lengths_of_queues_come_in_one_statement(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    order()
    order(status="CONFIRMED")
    queues = [OrderFilter(), OrderFilter(status="CONFIRMED"), OrderFilter(stock="short")]
    with django_assert_num_queries(1):
        assert [str(length) for length in lengths(queues)] == ["2", "1", "0"]
