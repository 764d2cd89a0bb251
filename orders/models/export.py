"""Which orders left the service in a file."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from orders.models.order import choices
from orders.status import ExportKind, ExportOutcome


class Export(models.Model):
    """Who took out which orders, and how far it got; written before the first byte leaves.

    ``orders.exports`` is the only writer. Rows are kept: nobody can change or delete one by hand.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=choices(ExportKind))
    selection = models.TextField(
        blank=True,
        help_text="What the orders were chosen by; empty for all. A search may name people.",
    )
    rows = models.PositiveBigIntegerField(
        default=0, help_text="How many have left: lines of an export of lines, otherwise orders."
    )
    outcome = models.CharField(
        max_length=10, choices=choices(ExportOutcome), default=ExportOutcome.STARTED
    )
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=list(ExportKind)), name="export_kind"),
            models.CheckConstraint(
                condition=Q(outcome__in=list(ExportOutcome)), name="export_outcome"
            ),
        ]

    def __str__(self) -> str:
        return f"export {self.pk}"
