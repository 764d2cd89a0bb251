"""Which creation each ``Idempotency-Key`` stands for."""

from django.db import models


class IdempotencyKey(models.Model):
    """A key that made an order; written in the order's own transaction, so only success is kept."""

    scope = models.CharField(max_length=300, help_text="The credential; for a guest the e-mail.")
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(max_length=32, help_text="SHA-256 of the validated payload.")
    order = models.ForeignKey("orders.Order", on_delete=models.CASCADE, related_name="+")
    body = models.JSONField(help_text="The answer that the first request got.")
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope", "key"], name="one_order_per_idempotency_key")
        ]

    def __str__(self) -> str:
        return self.key
