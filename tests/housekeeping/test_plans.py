"""How PostgreSQL finds what housekeeping is about: by an index, however many orders there are."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from orders.housekeeping import expiring, pruning
from orders.housekeeping.people import Person
from tests.factories import user

pytestmark = pytest.mark.django_db

# 4,000 orders with an event each; one in 80 is PENDING. What other tests have rolled back still
# swells the table, and with it the planner's costs: emptied, it begins anew.
_FILL = """
    TRUNCATE orders_order CASCADE;
    INSERT INTO orders_order (public_id, customer_reference, full_name, email, address, city,
                              zip_code, currency, total, status, stock_state, version, created_at)
    SELECT gen_random_uuid(), 'g', 'A', nth || '@example.net', 'B', 'C', '1', 'USD', 1,
           CASE nth % 80 WHEN 0 THEN 'PENDING' ELSE 'COMPLETED' END, 'clear', 1,
           now() - nth * interval '1 hour'
      FROM generate_series(1, 4000) nth;
    INSERT INTO orders_orderevent (order_id, at, kind, from_status, to_status, actor, via, data)
    SELECT number, created_at, 'placed', '', 'PENDING', 'guest', 'api', '{}' FROM orders_order;
    ANALYZE orders_order, orders_orderevent, orders_batchentry
"""


def plan(rows: QuerySet[Any] | tuple[str, dict[str, object]], *, bitmaps: bool = False) -> str:
    """Return how PostgreSQL runs a statement, but for reading small tables whole."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"SET LOCAL enable_bitmapscan = {'on' if bitmaps else 'off'}")
        if isinstance(rows, QuerySet):
            return rows.explain()
        statement, values = rows
        named: Any = values
        cursor.execute(f"EXPLAIN {statement}", named)
        return "\n".join(row[0] for row in cursor.fetchall())


def test_orders_are_found_by_their_age_their_address_or_their_account() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FILL)
    found = expiring.expired(timedelta(hours=24))
    later = found.filter(expiring._beyond(timezone.now() - timedelta(days=90), 1))
    for rows in (found, later):
        path = plan(rows[: expiring.AT_ONCE])
        assert "Index Scan using order_open_oldest" in path
        assert "Seq Scan on orders_order " not in path
        assert "orders_orderevent_order_id" in path
        assert "entry_waiting" in path
        assert "orders_ordernote_order_id" in path
    assert "created_at >=" in plan(later).split("Index Cond")[1].splitlines()[0]

    person = Person(frozenset({"a@b.example", "c@d.example"}), (user(),), frozenset({100_001}))
    for rows in (person.orders(), person.orders_of_others(person.emails)):
        path = plan(rows, bitmaps=True)
        assert "order_email_folded" in path
        assert "Seq Scan on orders_order " not in path


def test_what_is_pruned_is_found_by_its_time_or_its_key() -> None:
    walks = {
        kind: (
            statement.format(gone="SELECT id FROM stale"),
            {"after": 0, "before": timezone.now(), "most": pruning.AT_ONCE},
        )
        for kind, (statement, *_) in pruning._WALKS.items()
    }
    assert "orders_idempotencykey_expires_at" in plan(pruning._idempotency_keys()[:10])
    assert "django_session_expire_date" in plan(pruning._sessions()[:10])
    assert "orders_stockattempt_pkey" in plan(walks["stock attempts"])
    assert "procrastinate_jobs_pkey" in plan(walks["jobs"])


def test_answers_are_found_by_their_order_and_their_scope() -> None:
    person = Person(frozenset({"a@b.example"}), (user(),))
    path = plan(person.idempotency_keys([1, 2]), bitmaps=True)
    assert "orders_idempotencykey_order_id" in path
    assert "one_order_per_idempotency_key" in path
    assert "Seq Scan" not in path
