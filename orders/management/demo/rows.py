"""Demo orders as rows of the tables, such that the ledger's checks find no fault with them."""

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Model
from psycopg.types.json import Jsonb

from orders.management.demo.shop import Customer, Line
from orders.models import (
    Confirmation,
    Order,
    OrderEvent,
    OrderItem,
    StockAttempt,
    StockMovement,
)
from orders.status import ConfirmationState, Door, EventKind, MovementState, OrderStatus, StockState

Row = tuple[Any, ...]

# What is written of each table, in this order; the rest of a row has its default.
COLUMNS: dict[type[Model], str] = {
    Order: "number public_id customer_reference full_name email address city zip_code currency"
    " total status stock_state stock_since version created_at updated_at",
    OrderItem: "order_id product_id quantity unit_price",
    OrderEvent: "order_id at kind from_status to_status actor via data",
    Confirmation: "id order_id state actor via checked_at failure shortages wake_at created_at"
    " settled_at",
    StockMovement: "id confirmation_id product_id delta reverses_id state fence tries"
    " before_quantity after_quantity sent_at settles_at resolved_at resolved_by created_at",
    StockAttempt: "movement_id fence sent_at ended_at outcome http_status trace_id",
}
CALL = timedelta(milliseconds=180)  # what a call to the inventory takes
SETTLE = timedelta(seconds=132)
NEVER = datetime(2999, 1, 1, tzinfo=UTC)  # when a worker looks at a confirmation that stays open
RESTOCK = 5_000  # pieces that a product gets when it runs out
NO_DATA = Jsonb({})


@dataclass(slots=True)
class Story:
    """An order and what has happened to it up to ``at``."""

    number: int
    customer: Customer
    lines: list[Line]
    placed_at: datetime
    at: datetime
    status: OrderStatus = OrderStatus.PENDING
    stock: StockState = StockState.CLEAR
    stock_since: datetime | None = None
    version: int = 0


@dataclass(slots=True)
class Rows:
    """Rows to be copied, by table; keeps count of the products' stock."""

    rng: random.Random
    staff: str
    currency: str
    tables: dict[type[Model], list[Row]] = field(
        default_factory=lambda: {model: [] for model in COLUMNS}
    )
    stock: dict[str, int] = field(default_factory=lambda: defaultdict(lambda: RESTOCK))

    def happen(
        self,
        story: Story,
        kind: EventKind,
        *,
        by: str = "",
        via: Door = Door.ADMIN,
        status: OrderStatus | None = None,
        stock: StockState | None = None,
        data: dict[str, object] | None = None,
    ) -> None:
        """Record what happens to an order now, as `orders.lifecycle` does."""
        before = "" if kind is EventKind.PLACED else story.status
        story.version += 1
        story.status = status or story.status
        if stock is not None and stock is not story.stock:
            story.stock, story.stock_since = stock, story.at
        self.tables[OrderEvent].append(
            (
                story.number,
                story.at,
                kind,
                before,
                story.status,
                by or self.staff,
                via,
                Jsonb(data) if data else NO_DATA,
            )
        )

    def order(self, story: Story) -> None:
        """Add an order as it has become, with its items."""
        cents = sum(line.quantity * line.cents for line in story.lines)
        who = story.customer
        self.tables[Order].append(
            (
                story.number,
                self._uuid(),
                f"guest-{self.rng.getrandbits(48):012x}",
                who.name,
                who.email,
                who.address,
                who.city,
                who.zip_code,
                self.currency,
                Decimal(cents) / 100,
                story.status,
                story.stock,
                story.stock_since or story.placed_at,
                story.version,
                story.placed_at,
                story.at,
            )
        )
        self.tables[OrderItem].extend(
            (story.number, line.product_id, line.quantity, Decimal(line.cents) / 100)
            for line in story.lines
        )

    def confirmation(
        self,
        key: int,
        story: Story,
        state: ConfirmationState,
        opened_at: datetime,
        *,
        failure: str = "",
        shortages: Iterable[dict[str, object]] = (),
    ) -> None:
        """Add an attempt to confirm an order, as it has ended or stays open."""
        settled = state not in (ConfirmationState.RUNNING, ConfirmationState.REVERSING)
        self.tables[Confirmation].append(
            (
                key,
                story.number,
                state,
                self.staff,
                Door.ADMIN,
                None if failure else opened_at,
                failure,
                Jsonb(list(shortages)),
                opened_at if settled else NEVER,
                opened_at,
                story.at if settled else None,
            )
        )

    def unsent(self, key: int, line: Line, at: datetime, state: MovementState) -> None:
        """Add a deduction that nobody has begun."""
        self._movement(
            (self._uuid(), key, line.product_id, -line.quantity, None, state, 0),
            (0, None, None, None, None, None, "", at),
        )

    def applied(
        self, key: int, line: Line, at: datetime, *, gives_back: UUID | None = None
    ) -> UUID:
        """Add a movement that the inventory applied, with its call; return its key."""
        id_, call = self._uuid(), at + CALL
        delta = line.quantity if gives_back else -line.quantity
        before = self.stock[line.product_id]
        if before + delta < 0:
            before += RESTOCK  # somebody restocked
        self.stock[line.product_id] = before + delta
        self._movement(
            (id_, key, line.product_id, delta, gives_back, MovementState.APPLIED, 1),
            (1, before, before + delta, at, at + SETTLE, call, "response", at),
        )
        self._attempt(id_, at, call, "applied", 200)
        return id_

    def lost(self, key: int, line: Line, at: datetime) -> None:
        """Add a deduction of which nobody can say what became of it."""
        id_, before = self._uuid(), self.stock[line.product_id]
        self._movement(
            (id_, key, line.product_id, -line.quantity, None, MovementState.REVIEW, 1),
            (1, before, before + 7, at, None, at + SETTLE, "", at),
        )
        self._attempt(id_, at, at + CALL, "server_error", 500)

    def _movement(self, what: Row, outcome: Row) -> None:
        self.tables[StockMovement].append(what + outcome)

    def _attempt(
        self, movement: UUID, at: datetime, ended_at: datetime, outcome: str, status: int
    ) -> None:
        trace = f"{self.rng.getrandbits(64):016x}"
        self.tables[StockAttempt].append((movement, 1, at, ended_at, outcome, status, trace))

    def _uuid(self) -> UUID:
        return UUID(int=self.rng.getrandbits(128), version=4)
