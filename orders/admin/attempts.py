"""Failed sign-ins of the last minutes: who is being guessed, and from where."""

from datetime import datetime

from axes.models import AccessAttempt
from django.contrib import admin

from orders.admin.base import LookOnlyAdmin
from orders.signin.lockout import COOL_OFF


@admin.register(AccessAttempt)
class AttemptAdmin(LookOnlyAdmin[AccessAttempt]):
    """Counts by name and address, to look at; ``axes_reset`` and time end a lock."""

    list_display = ("username", "ip_address", "failures", "attempt_time", "forgotten_at")
    list_display_links = None
    search_fields = ("username", "ip_address")
    ordering = ("-attempt_time",)
    show_full_result_count = False

    @admin.display(description="Wrong attempts", ordering="failures_since_start")
    def failures(self, attempt: AccessAttempt) -> int:
        """How many there were, each within `COOL_OFF` of the one before."""
        return int(attempt.failures_since_start)

    @admin.display(description="Forgotten at")
    def forgotten_at(self, attempt: AccessAttempt) -> datetime:
        """When they count no more, should there be no other."""
        last: datetime = attempt.attempt_time
        return last + COOL_OFF
