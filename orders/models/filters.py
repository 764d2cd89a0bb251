"""Filters of the order list that staff keep."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class SavedFilter(models.Model):
    """What a member of staff looks for again and again, under a name; some are for everybody."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, help_text="Of the list's address, in one fixed form.")
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="one_saved_filter_per_name")
        ]
        indexes = [
            models.Index("name", name="saved_filter_shared", condition=models.Q(shared=True))
        ]

    def __str__(self) -> str:
        return self.name
