"""In whose name a command acts."""

from django.core.management.base import CommandError

from orders.actor import Actor
from orders.models import User
from orders.status import Door

OPERATOR = Actor.system(Door.COMMAND)


def actor_of(username: str | None) -> Actor:
    """Return a member of staff by name, or the operator of this machine."""
    if username is None:
        return OPERATOR
    try:
        user = User.objects.get(username=username)
    except User.DoesNotExist as exc:
        raise CommandError(f"There is no user {username}.") from exc
    return Actor(via=Door.COMMAND, user=user)
