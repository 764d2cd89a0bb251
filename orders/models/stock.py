"""The stock ledger's tables. ``orders.stock`` writes them; housekeeping prunes and erases in them.

What must hold is written here as constraints, so that no code can break it:
at most one live confirmation an order, one deduction a product, one reversal a movement, and
while a movement is in flight none other of its product.
"""

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from orders.models.batch import Batch
from orders.models.order import Order
from orders.status import (
    IN_FLIGHT,
    LIVE_CONFIRMATIONS,
    UNSETTLED_CONFIRMATIONS,
    ConfirmationState,
    MovementState,
)


class Confirmation(models.Model):
    """One attempt to give an order its stock; owns the movements. Its key is its place in line."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="confirmations")
    batch = models.ForeignKey(
        Batch, null=True, on_delete=models.PROTECT, related_name="confirmations"
    )
    state = models.CharField(max_length=9, default=ConfirmationState.RUNNING)
    actor = models.CharField(max_length=40)
    via = models.CharField(max_length=8)
    checked_at = models.DateTimeField(null=True, help_text="When the bulk check said yes.")
    cancel_requested_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=24, blank=True, help_text="Why it was rejected.")
    shortages = models.JSONField(default=list, help_text="Products with requested and available.")
    wake_at = models.DateTimeField(
        db_default=Now(), help_text="When a worker should next look at it, if nobody does before."
    )
    created_at = models.DateTimeField(db_default=Now())
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(state__in=LIVE_CONFIRMATIONS),
                name="one_live_confirmation",
            ),
            models.CheckConstraint(
                condition=Q(state__in=list(ConfirmationState)), name="confirmation_state"
            ),
        ]
        indexes = [
            models.Index(
                fields=["wake_at"],
                condition=Q(state__in=UNSETTLED_CONFIRMATIONS),
                name="confirmation_due",
            ),
            models.Index(
                fields=["wake_at"],
                condition=Q(state=ConfirmationState.REVERSING),
                name="confirmation_returning",
            ),
            models.Index(
                fields=["settled_at"],
                include=["failure"],
                condition=Q(state=ConfirmationState.REJECTED),
                name="confirmation_rejected",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order} {self.state}"


class StockMovement(models.Model):
    """One change of one product's stock, written down before it is asked for.

    The key is the ``Idempotency-Key`` of its calls and stands in their ``reason``. The fence grows
    with each claim: whoever holds an old one has lost the movement to somebody else.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    confirmation = models.ForeignKey(
        Confirmation, on_delete=models.PROTECT, related_name="movements"
    )
    product_id = models.CharField(max_length=100)
    delta = models.IntegerField(help_text="Pieces: negative deducts, positive restores.")
    reverses = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="reversal"
    )
    state = models.CharField(max_length=8, default=MovementState.PLANNED)
    exclusive = models.BooleanField(default=True, help_text="Whether the product mutex applies.")
    fence = models.PositiveIntegerField(default=0)
    tries = models.PositiveIntegerField(
        default=0, help_text="How often it was begun, for the back-off."
    )
    short_waits = models.PositiveSmallIntegerField(
        default=0, help_text="How often it waited for another order to give stock back."
    )
    not_before = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    before_quantity = models.BigIntegerField(null=True)
    before_updated_at = models.TextField(null=True)  # noqa: DJ001 - the service may send none
    after_quantity = models.BigIntegerField(null=True)
    after_updated_at = models.TextField(null=True)  # noqa: DJ001
    sent_at = models.DateTimeField(null=True)
    settles_at = models.DateTimeField(
        null=True, help_text="From when on an unknown outcome may be read back."
    )
    rejection = models.CharField(
        max_length=32, blank=True, help_text="The error's code, when it was rejected."
    )
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(
        max_length=40, blank=True, help_text="response, snapshot, readback, replay or user:<id>."
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["confirmation", "product_id"],
                condition=Q(reverses__isnull=True),
                name="one_deduction_per_product",
            ),
            models.UniqueConstraint(
                fields=["product_id"],
                condition=Q(state__in=IN_FLIGHT, exclusive=True),
                name="one_in_flight_per_product",
            ),
            models.CheckConstraint(
                condition=Q(state__in=list(MovementState)), name="movement_state"
            ),
            models.CheckConstraint(
                condition=Q(delta__lt=0, reverses__isnull=True)
                | Q(delta__gt=0, reverses__isnull=False),
                name="only_reversals_restore",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["sent", "unknown"]) | Q(sent_at__isnull=False),
                name="sent_before_its_outcome",
            ),
        ]
        indexes = [
            models.Index(
                F("product_id"),
                F("confirmation"),
                name="movement_queue",
                condition=Q(state=MovementState.PLANNED),
            ),
            models.Index(F("product_id"), F("sent_at").desc(), name="movement_history"),
            models.Index(
                F("resolved_at"), name="movement_review", condition=Q(state=MovementState.REVIEW)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delta:+d} × {self.product_id} {self.state}"


class StockAttempt(models.Model):
    """One call that may have changed stock: written before it, completed with what came back."""

    movement = models.ForeignKey(StockMovement, on_delete=models.PROTECT, related_name="attempts")
    fence = models.PositiveIntegerField(help_text="Of the claim that made the call.")
    sent_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(
        max_length=24, blank=True, help_text="applied, or the error's code; empty: never heard of."
    )
    http_status = models.PositiveSmallIntegerField(null=True)
    trace_id = models.CharField(max_length=128, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["movement", "fence"], name="one_call_per_claim")
        ]

    def __str__(self) -> str:
        return self.outcome or "no answer"


class StockBaseline(models.Model):
    """A stock that the ledger did not make, and a person accepts: it counts on from there.

    Rows are kept: nobody changes or deletes one, but for a customer who is named in a note after
    all, and erased from it.
    """

    product_id = models.CharField(max_length=100)
    quantity = models.BigIntegerField(help_text="What the inventory had, in pieces.")
    expected = models.BigIntegerField(
        null=True, help_text="What the ledger expected; empty when it had no word on the product."
    )
    at = models.DateTimeField(help_text="What was sent later counts on from it.")
    actor = models.CharField(max_length=40)
    via = models.CharField(max_length=8)
    note = models.TextField(help_text="Why it is right. Names no customer.")

    class Meta:
        indexes = [models.Index("product_id", F("at").desc(), name="baseline_history")]

    def __str__(self) -> str:
        if self.expected is None:
            return f"product {self.product_id}: {self.quantity}, where the ledger expected nothing"
        by = self.quantity - self.expected
        return (
            f"product {self.product_id}: {self.quantity}, where the ledger expected"
            f" {self.expected} ({by:+d})"
        )
