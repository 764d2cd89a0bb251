"""What the processes of the service have counted, for whoever asks any one of them."""

import uuid

from django.db import models


class ProcessReport(models.Model):
    """One process's counts since it began. UNLOGGED: a crash empties it, and counting goes on.

    ``samples`` are those of `orderservice.metrics.reports`. The report without a role holds what
    processes that are gone had counted.
    """

    GONE = uuid.UUID(int=0)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    role = models.CharField(max_length=10, help_text="web, worker, command; empty: gone.")
    reported_at = models.DateTimeField(db_index=True)
    samples = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.role or 'gone'} {self.id}"
