"""What would have happened to each order of the demo shop."""

import math
import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from orders.management.demo.rows import Rows, Story
from orders.management.demo.shop import Shop
from orders.status import (
    ConfirmationState,
    Door,
    EventKind,
    FailureReason,
    MovementState,
    OrderStatus,
    StockState,
)

SPAN = timedelta(days=730)
CONFIRMED_AFTER = timedelta(days=3)  # on average, as the next two
COMPLETED_AFTER = timedelta(days=5)
CANCELLED_AFTER = timedelta(hours=9)
SHARE_FORGOTTEN = 0.001
SHARE_CANCELLED = 0.05
SHARE_RESTOCKED = 0.01  # confirmed, and cancelled after that
SHARE_SHORT = 0.04  # of those that somebody has tried to confirm lately


class History:
    """Tells the orders of a shop, from the oldest to the newest; the same ones for a seed."""

    def __init__(self, orders: int, *, seed: int, now: datetime, staff: str, currency: str) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - made-up orders, not secrets
        self._shop = Shop(orders, self._rng)
        self._orders = orders
        self._now = now
        self.rows = Rows(self._rng, staff, currency)

    def tell(self, places: range, numbers: Iterable[int], confirmations: Iterator[int]) -> None:
        """Add the orders at some places of the history to the rows.

        ``numbers`` and ``confirmations`` are keys that nobody else uses.
        """
        for place, number in zip(places, numbers, strict=True):
            story = self._place(number, self._placed_at(place))
            self._go_on(story, confirmations)
            self.rows.order(story)

    def leave_open(
        self, state: StockState, numbers: Iterable[int], confirmations: Iterator[int]
    ) -> None:
        """Add orders of this moment whose stock is settling, or waits for a review."""
        for number in numbers:
            story, key = self._place(number, self._now), next(confirmations)
            self._request(story)
            first, *others = story.lines
            if state is StockState.REVIEW:
                self.rows.lost(key, first, story.at)
                self.rows.happen(
                    story, EventKind.REVIEW_NEEDED, by="system", via=Door.WORKER, stock=state
                )
            else:
                others.append(first)
            for line in others:
                self.rows.unsent(key, line, story.at, MovementState.PLANNED)
            self.rows.confirmation(key, story, ConfirmationState.RUNNING, story.at)
            self.rows.order(story)

    def _placed_at(self, place: int) -> datetime:
        """Return when the order at this place came: more every month, and most of them at noon."""
        passed = ((place + self._rng.random()) / self._orders) ** 0.8 * (SPAN / timedelta(days=1))
        hour, day = math.modf(passed)
        hour += 0.14 * math.sin(2 * math.pi * hour)  # still grows: its slope stays above 0.1
        return self._now - SPAN + timedelta(days=day + hour)

    def _place(self, number: int, at: datetime) -> Story:
        story = Story(number, self._shop.customer(), self._shop.lines(), at, at)
        self.rows.happen(story, EventKind.PLACED, by="guest", via=Door.API)
        return story

    def _go_on(self, story: Story, confirmations: Iterator[int]) -> None:
        """Let happen to a placed order what there was the time for."""
        chance = self._rng.random
        if chance() < SHARE_FORGOTTEN or not self._wait(story, CONFIRMED_AFTER):
            return
        if chance() < SHARE_CANCELLED:
            self.rows.happen(story, EventKind.CANCELLED, status=OrderStatus.CANCELLED)
        elif self._now - story.at < CONFIRMED_AFTER and chance() < SHARE_SHORT:
            self._fall_short(story, next(confirmations))
        else:
            self._confirm(story, next(confirmations))

    def _wait(self, story: Story, average: timedelta) -> bool:
        """Let time pass, unless that would be in the future; tell whether it has."""
        later = story.at + average * self._rng.expovariate(1)
        if later > self._now:
            return False
        story.at = later
        return True

    def _request(self, story: Story) -> None:
        self.rows.happen(story, EventKind.CONFIRMATION_REQUESTED, stock=StockState.SETTLING)

    def _fall_short(self, story: Story, key: int) -> None:
        opened_at = story.at
        self._request(story)
        for line in story.lines:
            self.rows.unsent(key, line, opened_at, MovementState.VOID)
        first = story.lines[0]
        shortages = [{"product_id": first.product_id, "requested": first.quantity, "available": 0}]
        failure = FailureReason.INSUFFICIENT_STOCK
        self.rows.happen(
            story,
            EventKind.CONFIRMATION_FAILED,
            stock=StockState.SHORT,
            data={"reason": failure, "items": shortages},
        )
        self.rows.confirmation(
            key, story, ConfirmationState.REJECTED, opened_at, failure=failure, shortages=shortages
        )

    def _confirm(self, story: Story, key: int) -> None:
        opened_at = story.at
        self._request(story)
        taken = [(line, self.rows.applied(key, line, opened_at)) for line in story.lines]
        self.rows.happen(
            story, EventKind.CONFIRMED, status=OrderStatus.CONFIRMED, stock=StockState.CLEAR
        )
        state = ConfirmationState.CONFIRMED
        if self._rng.random() >= SHARE_RESTOCKED:
            if self._wait(story, COMPLETED_AFTER):
                self.rows.happen(story, EventKind.COMPLETED, status=OrderStatus.COMPLETED)
        elif self._wait(story, CANCELLED_AFTER):
            state = ConfirmationState.CANCELLED
            self.rows.happen(
                story,
                EventKind.CANCELLED,
                status=OrderStatus.CANCELLED,
                stock=StockState.SETTLING,
            )
            for line, deduction in taken:
                self.rows.applied(key, line, story.at, gives_back=deduction)
            self.rows.happen(
                story, EventKind.RESTOCKED, by="system", via=Door.WORKER, stock=StockState.CLEAR
            )
        self.rows.confirmation(key, story, state, opened_at)
