"""What the admin shows as a user's history."""

from django.contrib.admin.models import CHANGE, LogEntry

from orders.models import User


def note(user: User, what: str) -> None:
    """Write into the user's history what they did to themselves."""
    LogEntry.objects.log_actions(
        user.pk, User.objects.filter(pk=user.pk), CHANGE, change_message=what, single_object=True
    )
