"""Which orders a list is narrowed to, by filters and by words.

Words may match an order in several ways, over two tables. An OR of these defeats the planner: no
index serves it as a whole. So each way is an arm of its own, that an index serves, with all the
filters in it; docs/adr/0008-lists-of-a-million.md says more.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property, reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Upper
from django.db.models.lookups import Contains

from orders.models import Order, OrderItem
from orders.models.search import CUSTOMER

EXACT = 10_000  # orders: as many are collected and counted one by one
MANY = 100_000  # orders: whoever wants more of them had better look at each than collect them
_TRIGRAM = re.compile(r"[^\W_]{3}")  # without one, the trigram indexes are of no use


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """What a list is narrowed to; None does not narrow. Bounds are inclusive, but for ``before``.

    ``q`` is a number, or a part of a name, an e-mail or a product; without three letters or digits
    in a row it is a number or a whole product.
    """

    status: str | None = None
    stock: str | None = None
    on_hold: bool | None = None
    q: str | None = None
    email: str | None = None
    city: str | None = None
    product_id: str | None = None
    user_id: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    created_before: datetime | None = None
    min_total: Decimal | None = None
    max_total: Decimal | None = None

    @property
    def is_of_status_alone(self) -> bool:
        """Whether it narrows by nothing, or by the status only."""
        return self == OrderFilter(status=self.status)

    def conditions(self) -> Q:
        """Return the filter, but for ``q``, as one condition on orders."""
        found = self.period() & _all_given(
            status=self.status,
            stock_state=self.stock,
            email__iexact=self.email,
            city__iexact=self.city,
            total__gte=self.min_total,
            total__lte=self.max_total,
        )
        if self.on_hold is not None:  # in the words of the partial index
            found &= ~Q(hold_reason="") if self.on_hold else Q(hold_reason="")
        if self.product_id is not None:
            found &= _has_item(Q(product_id=self.product_id))
        if self.user_id is not None:
            found &= _has_user_id(self.user_id)
        return found

    def period(self) -> Q:
        """Return the part of the filter that is about when an order was placed."""
        return _all_given(
            created_at__gte=self.created_from,
            created_at__lte=self.created_to,
            created_at__lt=self.created_before,
        )

    def ways(self) -> list[Q]:
        """Return one condition for each way in which an order may match ``q``."""
        if self.q is None:
            return []
        found = []
        if _TRIGRAM.search(self.q):
            # In capitals by the database on both sides: Python's differ in some letters.
            found.append(Q(Contains(CUSTOMER, Upper(Value(self.q)))))
            found.append(_has_item(Q(product_id__icontains=self.q)))
        else:
            found.append(_has_item(Q(product_id=self.q)))
        number = self.q.removeprefix("#")
        if number.isascii() and number.isdigit() and len(number) <= 18:  # what fits a bigint
            found.append(Q(number=int(number)))
        return found


@dataclass(frozen=True, slots=True)
class Plan:
    """How many orders the planner expects, and the cost of collecting some, in its own unit."""

    rows: int
    cost: float


@dataclass(frozen=True)
class Found:
    """The orders that a filter lets through, and the ways in which the words match them.

    ``narrowed`` has all of the filter but the words; ``period`` is the part of it about dates.
    """

    narrowed: QuerySet[Order]
    ways: Sequence[Q] = ()
    period: Q = field(default_factory=Q)

    @property
    def arms(self) -> list[QuerySet[Order]]:
        """A query for each way, or one without any; an order may be in several."""
        bare = self.narrowed.order_by().prefetch_related(None)
        return [bare.filter(way) for way in self.ways] or [bare]

    @cached_property
    def plan(self) -> Plan:
        """What the planner expects of collecting them up to one more than EXACT."""
        keys = [arm.values("pk")[: EXACT + 1] for arm in self.arms]
        explained = (keys[0].union(*keys[1:], all=True) if keys[1:] else keys[0]).explain(
            format="json"
        )
        if not explained:  # Django knows without asking that there are none
            return Plan(0, 0.0)
        (top,) = json.loads(explained)
        return Plan(_rows_without_limit(top["Plan"]), float(top["Plan"]["Total Cost"]))

    def orders(self) -> QuerySet[Order]:
        """Return them as one query, each order once, in the order that ``narrowed`` has."""
        if not self.ways:
            return self.narrowed
        if self.plan.rows < MANY:
            keys = [arm.values("pk") for arm in self.arms]
            return self.narrowed.filter(pk__in=keys[0].union(*keys[1:], all=True))
        return self.narrowed.filter(reduce(or_, self.ways))


def find_all(orders: QuerySet[Order], wanted: OrderFilter) -> Found:
    """Return those of the orders that the filter lets through."""
    return Found(orders.filter(wanted.conditions()), wanted.ways(), wanted.period())


def _rows_without_limit(node: dict[str, Any]) -> int:
    """Return how many rows a plan would give if its LIMITs were not."""
    below = node.get("Plans", [])
    if node["Node Type"] == "Append":
        return sum(map(_rows_without_limit, below))
    return int(
        below[0]["Plan Rows"] if node["Node Type"] == "Limit" and below else node["Plan Rows"]
    )


def _all_given(**lookups: object) -> Q:
    return Q(**{lookup: value for lookup, value in lookups.items() if value is not None})


def _has_item(condition: Q) -> Q:
    return Q(Exists(OrderItem.objects.filter(condition, order=OuterRef("pk"))))


def _has_user_id(user_id: str) -> Q:
    """Find by the ``userId`` that the API shows: of an owned order its owner's public id."""
    found = Q(owner=None, customer_reference=user_id)
    try:
        found |= Q(owner__public_id=UUID(user_id))
    except ValueError:
        return found
    return found
