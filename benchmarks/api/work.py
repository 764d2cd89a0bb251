"""The work that is measured: which requests, and what they want to be answered."""

from __future__ import annotations

import itertools
import json
import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg

from benchmarks.api.stack import Server, Stack

PRODUCTS = 1000
Requests = Callable[[Server, random.Random], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Work:
    """A row of the table: ``clients`` at once, the inventory ``latency`` ms away.

    ``pgbench`` names the statements of `benchmarks.api.statements` that do the same.
    """

    name: str
    requests: Requests
    status: int = 200
    clients: int = 16
    latency: int = 0
    pgbench: str = ""
    is_quick: bool = True


def health(server: Server, chance: random.Random) -> Iterator[bytes]:
    """Ask whether it is there."""
    return itertools.repeat(request(server, "GET", "/health"))


def get(server: Server, chance: random.Random) -> Iterator[bytes]:
    """Read some of a thousand orders, as the guests who hold their ids."""
    asked = [request(server, "GET", f"/api/orders/{public_id}") for public_id in _some(server)]
    return (chance.choice(asked) for _ in itertools.count())


def listing(query: str) -> Requests:
    """Read a page of the list, as staff."""

    def requests(server: Server, chance: random.Random) -> Iterator[bytes]:
        return itertools.repeat(_list(server, query))

    return requests


def deep(server: Server, chance: random.Random) -> Iterator[bytes]:
    """Read pages of ten anywhere in the list, each by its cursor, as staff."""
    with psycopg.connect(server.database) as connection:
        row = connection.execute(
            "SELECT min(number), max(number) FROM public.orders_order"
        ).fetchone()
    assert row
    while True:
        yield _list(server, f"limit=10&cursor=-number.{chance.randint(*row)}")


def post(server: Server, chance: random.Random) -> Iterator[bytes]:
    """Place orders of two products, each as a guest at an address of its own."""
    for number in itertools.count():
        yield _creation(server, chance, number, {})


def post_once(server: Server, chance: random.Random) -> Iterator[bytes]:
    """Place orders as `post` does, each with an idempotency key."""
    for number in itertools.count():
        yield _creation(server, chance, number, {"Idempotency-Key": str(uuid.uuid4())})


def confirm(server: Server, chance: random.Random) -> Iterator[bytes]:
    """Confirm the orders that `waiting` has left, each once, as staff."""
    control = server.name == "control"
    table, key = ("usual.usual_order", "id") if control else ("public.orders_order", "public_id")
    with psycopg.connect(server.database) as connection:
        waiting = connection.execute(
            f"SELECT {key} FROM {table} WHERE status = 'PENDING' AND city = 'Bench'"
            + ("" if control else " AND stock_state = 'clear'")
        ).fetchall()
    for (public_id,) in waiting:
        path = f"/api/orders/{public_id}/status"
        yield request(server, "PATCH", path, {"status": "CONFIRMED"}, server.headers)


def waiting(stack: Stack, server: Server, orders: int) -> None:
    """Leave so many orders to be confirmed, of two products each that no other order has."""
    with psycopg.connect(server.database, autocommit=True) as connection:
        made = connection.execute(
            _WAITING_CONTROL if server.name == "control" else _WAITING, {"orders": orders}
        ).fetchall()
    stack.upstream.set_stock({product_id: 100 for (product_id,) in made})


WORKS = (
    Work("GET /health", health),
    Work("GET an order", get, pgbench="read"),
    Work("GET an order, 1 client", get, clients=1, pgbench="read", is_quick=False),
    Work("GET an order, 64 clients", get, clients=64, is_quick=False),
    Work("LIST 10", listing("limit=10")),
    Work("LIST 100", listing("limit=100"), is_quick=False),
    Work("LIST 10, anywhere by cursor", deep, is_quick=False),
    Work("search by name", listing("limit=10&q=smith")),
    Work("POST, 2 items", post, 201, pgbench="create"),
    Work("POST, 2 items, 1 client", post, 201, clients=1, pgbench="create", is_quick=False),
    Work("POST, 2 items, 64 clients", post, 201, clients=64, is_quick=False),
    Work("POST with an idempotency key", post_once, 201, is_quick=False),
    Work("POST, inventory 20 ms", post, 201, latency=20),
    Work("PATCH confirm, 2 products", confirm),
    Work("PATCH confirm, inventory 20 ms", confirm, latency=20, is_quick=False),
)
GROWTH = (
    Work("GET an order", get),
    Work("LIST 10", listing("limit=10")),
    Work("LIST 100", listing("limit=100")),
    Work("LIST 10, anywhere by cursor", deep),
    Work("LIST of a status", listing("limit=10&status=CONFIRMED")),
    Work("search by name", listing("limit=10&q=smith")),
    Work("POST, 2 items", post, 201),
    Work("PATCH confirm, 2 products", confirm),
)


def product(number: int) -> str:
    """Return the id of one of the products that there is plenty of."""
    return f"BENCH-{number:05}"


def request(
    server: Server,
    method: str,
    path: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Return a request as it goes over the wire, from a proxy that does TLS."""
    sent = b"" if body is None else json.dumps(body).encode()
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {urlsplit(server.url).hostname}",
        "X-Forwarded-Proto: https",
        "Accept: application/json",
    ]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(sent)}"]
    return "\r\n".join([*lines, "", ""]).encode() + sent


def _list(server: Server, query: str) -> bytes:
    return request(server, "GET", f"/api/orders?{query}", headers=server.headers)


def _creation(
    server: Server, chance: random.Random, number: int, headers: Mapping[str, str]
) -> bytes:
    first = chance.randrange(PRODUCTS - 1)
    body = {
        "fullName": f"Customer {number}",
        "email": f"customer{number}@example.com",
        "address": "12 Preah Norodom Blvd",
        "city": "Phnom Penh",
        "zipCode": "12000",
        "items": [
            {"productId": product(first), "quantity": 2, "price": "19.99"},
            {"productId": product(first + 1), "quantity": 1, "price": "5.00"},
        ],
    }
    address = f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}"
    return request(server, "POST", "/api/orders", body, {"X-Forwarded-For": address, **headers})


def _some(server: Server) -> list[str]:
    """Return the ids of about a thousand orders from all over the table, which guests may read."""
    with psycopg.connect(server.database) as connection:
        found = connection.execute(
            "SELECT public_id FROM public.orders_order WHERE owner_id IS NULL"
            " AND number % GREATEST(1, (SELECT max(number) - min(number)"
            " FROM public.orders_order) / 1000) = 0 LIMIT 2000"
        ).fetchall()
    return [str(public_id) for (public_id,) in found]


_WAITING = """
    WITH placed AS (
        INSERT INTO orders_order (public_id, customer_reference, full_name, email, address, city,
                                  zip_code, currency, total, status, stock_state, version)
        SELECT gen_random_uuid(), 'guest', 'Ann Bench', 'ann@example.com', 'x 1', 'Bench', '1',
               'USD', 15, 'PENDING', 'clear', 1
          FROM generate_series(1, %(orders)s)
        RETURNING number
    ), event AS (
        INSERT INTO orders_orderevent (order_id, kind, from_status, to_status, actor, via, data)
        SELECT number, 'placed', '', 'PENDING', 'guest', 'api', '{}' FROM placed
    )
    INSERT INTO orders_orderitem (order_id, product_id, quantity, unit_price)
    SELECT number, number || side, 1, 7.50 FROM placed, unnest(ARRAY['-a', '-b']) AS side
    RETURNING product_id
"""
_WAITING_CONTROL = """
    WITH placed AS (
        INSERT INTO usual.usual_order (id, full_name, email, address, city, zip_code, status,
                                       total, created_at, updated_at)
        SELECT gen_random_uuid(), 'Ann Bench', 'ann@example.com', 'x 1', 'Bench', '1', 'PENDING',
               15, now(), now()
          FROM generate_series(1, %(orders)s)
        RETURNING id
    )
    INSERT INTO usual.usual_orderitem (order_id, product_id, quantity, price)
    SELECT id, id || side, 1, 7.50 FROM placed, unnest(ARRAY['-a', '-b']) AS side
    RETURNING product_id
"""
