"""How often somebody has asked lately."""

from django.db import models


class RateCount(models.Model):
    """One count of one client. Its table is UNLOGGED: a crash empties it, and that is all right."""

    key = models.CharField(max_length=100, primary_key=True, help_text="The scope, and who.")
    since = models.DateTimeField(db_index=True, help_text="When the window began.")
    hits = models.IntegerField()

    def __str__(self) -> str:
        return self.key
