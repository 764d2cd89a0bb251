"""An order desk that Hypothesis works at: any verbs, in any order, with faults and deaths.

The real lifecycle on a real database, before an inventory sandbox on a socket. Time passes by
moving the ledger's times back.
"""

from collections import Counter
from contextlib import nullcontext, suppress
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from inventory_client.sandbox.server import Sandbox
from orders import lifecycle
from orders.errors import OrderError
from orders.lifecycle import Amendment, Item, OrderDraft
from orders.models import Order, StockMovement
from orders.status import IN_FLIGHT, HoldReason, MovementState, OrderStatus
from orders.stock import inventory
from orders.stock.reconcile import Severity, checks
from tests.factories import OPERATOR, stock
from tests.stock.deaths import DEATHS, dying
from tests.stock.test_recovery import pass_time

CUSTOMER = ("Ann", "ann@example.com", "1 Rd", "Ulm", "12345")
PRODUCTS = ("cup", "jug", "pot")
HOLD = 0.25  # seconds: enough for a confirmation that need not wait
SETTLED = 300  # seconds: more than any wait of the ledger
# Faults of the call that changes stock; those that need real time to pass are the chaos run's.
FAULTS = (
    *("500_before", "503_before", "reset_before", "307", "429"),
    *("500_after", "reset_after", "truncated", "malformed_json"),
    *("wrong_product", "wrong_quantity", "string_quantity"),
)
UNSENT = (MovementState.PLANNED, MovementState.CLAIMED, MovementState.REJECTED, MovementState.VOID)

lines = st.dictionaries(st.sampled_from(PRODUCTS), st.integers(1, 3), min_size=1, max_size=2)
faults = st.sampled_from([None] * len(FAULTS) + [*FAULTS])
picks = st.integers(0, 100)


class OrderDesk(RuleBasedStateMachine):
    """What can be done to orders and stock, and what must be true after each step."""

    sandbox: Sandbox  # set by whoever runs the machine, as is the tally of what came about
    tally: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.outside: Counter[str] = Counter()  # what others than us have put into stock
        self.final: dict[int, str] = {}

    @initialize(quantities=st.lists(st.integers(6, 30), min_size=3, max_size=3))
    def open(self, quantities: list[int]) -> None:
        """Begin with a shop of three products, and an order of each."""
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE orders_order CASCADE")
        self.outside = Counter(dict(zip(PRODUCTS, quantities, strict=True)))
        self.sandbox.reset(dict(self.outside))
        inventory.client.cache_clear()
        for product in PRODUCTS:
            self._place({product: 1})

    # --- customers and staff ---------------------------------------------------------------------

    @rule(wanted=lines)
    def place(self, wanted: dict[str, int]) -> None:
        """Order something; what there is too little of is not written down."""
        before = Order.objects.count()
        try:
            self._place(wanted)
        except OrderError:
            assert Order.objects.count() == before

    @rule(pick=picks, fault=faults)
    def confirm(self, pick: int, fault: str | None) -> None:
        """Take an order's stock, while the call may fail in some way."""
        self._fault(fault)
        with suppress(OrderError):
            lifecycle.confirm(self._one(pick, OrderStatus.PENDING), actor=OPERATOR, hold=HOLD)

    @rule(pick=picks)
    def complete(self, pick: int) -> None:
        """Send an order out, if it has its stock."""
        number = self._one(pick, OrderStatus.CONFIRMED)
        before = Order.objects.get(pk=number).status
        with suppress(OrderError):
            lifecycle.complete(number, actor=OPERATOR)
            assert before in (OrderStatus.CONFIRMED, OrderStatus.COMPLETED)

    @rule(
        pick=picks,
        verb=st.sampled_from(["cancel", "hold", "release", "release", "amend"]),
        wanted=lines,
    )
    def change_mind(self, pick: int, verb: str, wanted: dict[str, int]) -> None:
        """Cancel an order, keep it from being confirmed or let it be, or change what it is of."""
        number = self._one(pick)
        with suppress(OrderError):
            match verb:
                case "cancel":
                    lifecycle.cancel(number, actor=OPERATOR)
                case "hold":
                    lifecycle.hold(number, actor=OPERATOR, reason=HoldReason.PAYMENT)
                case "release":
                    lifecycle.release(number, actor=OPERATOR)
                case "amend":
                    seen = Order.objects.get(pk=number).version
                    changed = Amendment(*CUSTOMER, _items(wanted))
                    lifecycle.amend(number, changed, actor=OPERATOR, expected_version=seen)

    @rule(product=st.sampled_from(PRODUCTS), pieces=st.integers(1, 6))
    def restock(self, product: str, pieces: int) -> None:
        """Put pieces on the shelf, past us."""
        self.sandbox.store.set_stock({product: stock(self.sandbox)[product] + pieces})
        self.outside[product] += pieces

    # --- misfortune, and what mends it -----------------------------------------------------------

    @rule(
        pick=picks,
        verb=st.sampled_from(["confirm", "confirm", "cancel"]),
        where=st.sampled_from(list(DEATHS)),
        fault=faults,
    )
    def die(self, pick: int, verb: str, where: str, fault: str | None) -> None:
        """Die in the middle of a verb."""
        status = OrderStatus.PENDING if verb == "confirm" else OrderStatus.CONFIRMED
        number = self._one(pick, status)
        self._fault(fault)
        with dying(where, self.tally), suppress(OrderError):
            if verb == "confirm":
                lifecycle.confirm(number, actor=OPERATOR, hold=HOLD)
            else:
                lifecycle.cancel(number, actor=OPERATOR)

    @rule(where=st.none() | st.sampled_from(list(DEATHS)), fault=faults)
    def work(self, where: str | None, fault: str | None) -> None:
        """Let time pass, and a worker do what is due; it may die, too."""
        self._fault(fault)
        self._pass_time()
        with dying(where, self.tally) if where else nullcontext():
            _work()

    @rule()
    def decide(self) -> None:
        """Look into the inventory's log, and say what became of movements in review."""
        known = {effect["movement_id"] for effect in self._effects()}
        waiting = StockMovement.objects.filter(state=MovementState.REVIEW)
        for movement_id in list(waiting.values_list("pk", flat=True)):
            self.tally["review"] += 1
            lifecycle.resolve(
                movement_id, applied=str(movement_id) in known, note="its log", actor=OPERATOR
            )

    # --- what must be true -----------------------------------------------------------------------

    @invariant()
    def ledger_tells_what_the_inventory_did(self) -> None:
        """I1 and I2: each movement is applied at most once, and the ledger knows which are."""
        effects = self._effects()
        times = Counter(effect["movement_id"] for effect in effects)
        assert not times or max(times.values()) == 1, f"I1: applied twice: {times}"
        deltas = {effect["movement_id"]: effect["delta"] for effect in effects}
        rows = {str(row.pk): row for row in StockMovement.objects.all()}
        assert deltas.keys() <= rows.keys(), "I2: an effect that the ledger can't name"
        for movement_id, row in rows.items():
            if row.state == MovementState.APPLIED:
                assert deltas.get(movement_id) == row.delta, f"I2: {row.state}, yet not applied"
            elif row.state in UNSENT:
                assert movement_id not in deltas, f"I2: {row.state}, yet applied"

    @invariant()
    def no_piece_is_lost_or_made(self) -> None:
        """I3: stock is what others put there, and our movements; never below 0."""
        expected = Counter(self.outside)
        for effect in self._effects():
            expected[effect["product_id"]] += effect["delta"]
        now = stock(self.sandbox)
        assert {product: expected[product] for product in now} == now
        assert all(quantity >= 0 for quantity in now.values())

    @invariant()
    def tables_agree(self) -> None:
        """I4 to I7 and I9, as `reconcile_stock` checks them."""
        found = [each for each in self._findings() if each.severity is Severity.VIOLATION]
        assert not found, found

    @invariant()
    def final_is_final(self) -> None:
        """COMPLETED and CANCELLED stay, and what is on hold does not become CONFIRMED."""
        for number, status, held in Order.objects.values_list("pk", "status", "hold_reason"):
            assert self.final.get(number, status) == status
            if status in (OrderStatus.COMPLETED, OrderStatus.CANCELLED):
                self.final[number] = status
            assert not (held and status in (OrderStatus.CONFIRMED, OrderStatus.COMPLETED))

    def teardown(self) -> None:
        """I7: left alone with a worker and a person who decides, everything comes to rest."""
        self._count_faults()
        for _ in range(30):
            self._pass_time()
            _work()
            self.decide()
            if not self._findings() and not StockMovement.objects.filter(state__in=IN_FLIGHT):
                break
        assert self._findings() == []
        self.tally.update(Order.objects.values_list("status", flat=True))
        self.tally["given back"] += sum(effect["delta"] > 0 for effect in self._effects())
        self.ledger_tells_what_the_inventory_did()
        self.no_piece_is_lost_or_made()

    # --- how -------------------------------------------------------------------------------------

    def _one(self, pick: int, status: OrderStatus | None = None) -> int:
        """Return an order of a status, at rest and free; any, when there is none or all will do."""
        orders = Order.objects.order_by("pk").values_list("pk", flat=True)
        at_rest = orders.filter(hold_reason="", stock_state__in=["clear", "short"])
        chosen = list(at_rest.filter(status=status)) if status else []
        chosen = chosen or list(orders)
        return chosen[pick % len(chosen)]

    def _place(self, wanted: dict[str, int]) -> int:
        return lifecycle.place(OrderDraft(*CUSTOMER, _items(wanted)), actor=OPERATOR).pk

    def _fault(self, fault: str | None) -> None:
        self._count_faults()
        if fault:
            self.sandbox.faults.script(fault)

    def _count_faults(self) -> None:
        self.tally.update(self.sandbox.faults.report()["served"])
        self.sandbox.faults.clear()

    def _pass_time(self) -> None:
        pass_time(SETTLED)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE orders_confirmation SET wake_at = %s", [timezone.now()])
        inventory.client.cache_clear()  # and its breaker

    def _effects(self) -> list[dict[str, Any]]:
        return self.sandbox.store.effects(limit=10_000)

    def _findings(self) -> list[Any]:
        numbers = list(Order.objects.order_by("pk").values_list("pk", flat=True))
        return list(checks.run(numbers[0], numbers[-1])) if numbers else []


def _items(wanted: dict[str, int]) -> list[Item]:
    return [Item(product, pieces, Decimal("2.50")) for product, pieces in wanted.items()]


def _work() -> None:
    """Do what is due; a confirmation that goes on for ever would be found here."""
    for _ in range(200):
        if not lifecycle.advance_due():
            return
    raise AssertionError("the worker's work has no end")
