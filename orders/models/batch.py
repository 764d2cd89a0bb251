"""Orders that somebody asked for one thing for, and what has come of it for each."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from orders.models.order import Order
from orders.status import EntryOutcome, Verb


class Batch(models.Model):
    """One verb for many orders; the worker carries it out, the oldest order first."""

    verb = models.CharField(max_length=8, db_default=Verb.CONFIRM)
    reason = models.CharField(max_length=16, blank=True, db_default="")
    note = models.TextField(
        max_length=2000, blank=True, db_default="", help_text="Added to each order's notes."
    )
    actor = models.CharField(max_length=40)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="With whose rights the worker acts; empty for the operator.",
    )
    via = models.CharField(max_length=8)
    selected = models.PositiveIntegerField(help_text="How many orders were asked for.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "batches"
        constraints = [models.CheckConstraint(condition=Q(verb__in=list(Verb)), name="batch_verb")]

    def __str__(self) -> str:
        return f"batch {self.pk}"


class BatchEntry(models.Model):
    """One order of a batch. ``outcome`` is empty until the verb is done, or refused for good."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="entries")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=7, blank=True, db_default="")
    code = models.CharField(
        max_length=24, blank=True, db_default="", help_text="The error's code, when refused."
    )
    why = models.TextField(blank=True, db_default="", help_text="The error in words.")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "order"], name="one_entry_per_order"),
            models.CheckConstraint(
                condition=Q(outcome="", ended_at=None)
                | Q(outcome__in=list(EntryOutcome), ended_at__isnull=False),
                name="entry_outcome",
            ),
        ]
        indexes = [
            models.Index(fields=["order"], condition=Q(outcome=""), name="entry_waiting_order"),
            models.Index(fields=["batch", "id"], condition=Q(outcome=""), name="entry_waiting"),
            models.Index(fields=["batch", "outcome"], name="entry_outcomes"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome or 'waiting'} {self.code}".strip()
