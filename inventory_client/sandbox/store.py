"""Stock, prices and the log of effects on disk: all survive a restart and a ``kill -9``."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

DEFAULT_WAREHOUSE = "Main"
MAX_LOGGED_REASON = 1000
_MOVEMENT = re.compile(r"\bmovement:(\S+)")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    product_id TEXT PRIMARY KEY,
    quantity INTEGER NOT NULL,
    warehouse_location TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS effects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    product_id TEXT NOT NULL,
    delta INTEGER NOT NULL,
    quantity_read INTEGER NOT NULL,
    quantity_written INTEGER NOT NULL,
    reason TEXT NOT NULL,
    idempotency_key TEXT,
    movement_id TEXT,
    trace_id TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS prices (
    product_id TEXT PRIMARY KEY,
    price TEXT NOT NULL -- as JSON: a number or a string, as it was set
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS effects_idempotency_key ON effects (idempotency_key);
CREATE INDEX IF NOT EXISTS effects_product ON effects (product_id, id);
"""


@dataclass(frozen=True, slots=True)
class Item:
    """One product's stock; times are UTC in ISO 8601."""

    product_id: str
    quantity: int
    warehouse_location: str
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class Effect:
    """One change as it is about to be applied: computed from a quantity read some time ago."""

    product_id: str
    delta: int
    quantity_read: int
    reason: str
    idempotency_key: str | None
    trace_id: str


class Store:
    """One SQLite file behind one connection; threads take turns, for microseconds each."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        # A commit in WAL mode is in the file, though not yet synced: it outlives this process, and
        # that is what is asked. A loss of power is not what the sandbox is for.
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file, after the statement that is running."""
        with self._lock:
            self._db.close()

    def item(self, product_id: str) -> Item | None:
        """Return one product's stock, None when it is unknown."""
        rows = self._rows("SELECT * FROM items WHERE product_id = ?", product_id)
        return Item(**rows[0]) if rows else None

    def items(self, *, offset: int, limit: int, product_id: str | None = None) -> list[Item]:
        """Return a page of the stock in the order of ids, of one product when it is named."""
        rows = self._rows(
            "SELECT * FROM items WHERE ?1 IS NULL OR product_id = ?1"
            " ORDER BY length(product_id), product_id LIMIT ?2 OFFSET ?3",
            product_id,
            limit,
            offset,
        )
        return [Item(**row) for row in rows]

    def count(self, product_id: str | None = None) -> int:
        """Count the products, or those of one id."""
        rows = self._rows(
            "SELECT count(*) AS n FROM items WHERE ?1 IS NULL OR product_id = ?1", product_id
        )
        return int(rows[0]["n"])

    def create(self, product_id: str, quantity: int, warehouse_location: str) -> bool:
        """Add a product; returns False when it is there already."""
        at = now()
        with self._lock:
            added = self._db.execute(
                "INSERT INTO items VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (product_id, quantity, warehouse_location, at, at),
            )
            return added.rowcount == 1

    def set_stock(self, quantities: Mapping[str, int | None]) -> None:
        """Set quantities as an outside edit would, adding products; None removes one."""
        at = now()
        with self._lock, _transaction(self._db):
            for product_id, quantity in quantities.items():
                if quantity is None:
                    self._db.execute("DELETE FROM items WHERE product_id = ?", (product_id,))
                    continue
                self._db.execute(
                    "INSERT INTO items VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT (product_id)"
                    " DO UPDATE SET quantity = ?2, updated_at = ?4",
                    (product_id, quantity, DEFAULT_WAREHOUSE, at),
                )

    def prices(self) -> dict[str, Any]:
        """Return the price of each product that has one."""
        rows = self._rows("SELECT * FROM prices ORDER BY length(product_id), product_id")
        return {row["product_id"]: json.loads(row["price"]) for row in rows}

    def price(self, product_id: str) -> Any:
        """Return a product's price, None when it has none."""
        rows = self._rows("SELECT price FROM prices WHERE product_id = ?", product_id)
        return json.loads(rows[0]["price"]) if rows else None

    def set_prices(self, prices: Mapping[str, Any]) -> None:
        """Set prices, whatever they are; None removes one."""
        with self._lock, _transaction(self._db):
            for product_id, price in prices.items():
                if price is None:
                    self._db.execute("DELETE FROM prices WHERE product_id = ?", (product_id,))
                    continue
                self._db.execute(
                    "INSERT INTO prices VALUES (?1, ?2)"
                    " ON CONFLICT (product_id) DO UPDATE SET price = ?2",
                    (product_id, json.dumps(price)),
                )

    def apply(self, effect: Effect, *, once: bool) -> None:
        """Write the quantity that follows from the one read, and log the effect, in one commit.

        Whatever was written since that read is lost, as it is upstream. With ``once`` an effect
        whose idempotency key is in the log already is left out.
        """
        at = now()
        written = effect.quantity_read + effect.delta
        movement = _MOVEMENT.search(effect.reason)
        with self._lock, _transaction(self._db):
            if once and effect.idempotency_key and self._known(effect.idempotency_key):
                return
            self._db.execute(
                "UPDATE items SET quantity = ?, updated_at = ? WHERE product_id = ?",
                (written, at, effect.product_id),
            )
            self._db.execute(
                "INSERT INTO effects (at, product_id, delta, quantity_read, quantity_written,"
                " reason, idempotency_key, movement_id, trace_id)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    at,
                    effect.product_id,
                    effect.delta,
                    effect.quantity_read,
                    written,
                    effect.reason[:MAX_LOGGED_REASON],
                    effect.idempotency_key,
                    movement[1] if movement else None,
                    effect.trace_id,
                ),
            )

    def knows_key(self, idempotency_key: str) -> bool:
        """Tell whether an effect with this key was applied."""
        with self._lock:
            return self._known(idempotency_key)

    def effects(
        self, *, after: int = 0, product_id: str | None = None, limit: int = 1000
    ) -> list[dict[str, Any]]:
        """Return the log from the first effect after id ``after`` on, oldest first."""
        return self._rows(
            "SELECT * FROM effects WHERE id > ?1 AND (?2 IS NULL OR product_id = ?2)"
            " ORDER BY id LIMIT ?3",
            after,
            product_id,
            limit,
        )

    def last_effects(self, limit: int) -> list[dict[str, Any]]:
        """Return the newest effects, newest first."""
        return self._rows("SELECT * FROM effects ORDER BY id DESC LIMIT ?", limit)

    def clear(self) -> None:
        """Forget all stock, all prices and all effects."""
        with self._lock, _transaction(self._db):
            self._db.execute("DELETE FROM items")
            self._db.execute("DELETE FROM prices")
            self._db.execute("DELETE FROM effects")

    def _known(self, idempotency_key: str) -> bool:
        row = self._db.execute(
            "SELECT 1 FROM effects WHERE idempotency_key = ? LIMIT 1", (idempotency_key,)
        ).fetchone()
        return row is not None

    def _rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(row) for row in self._db.execute(statement, values).fetchall()]


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def now() -> str:
    """Return the time as the API writes it: UTC in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
