"""``manage.py reset_totp``: take away the second factor of somebody who has lost it."""

from argparse import ArgumentParser
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError

from orders.models import User
from orders.signin import factors

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Removes the app and the recovery codes; the password and open sessions stay."""

    help = "Remove a user's second factor and recovery codes, for a phone that is lost."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username}.")
        if not factors.remove(user):
            raise CommandError(f"{username} has no second factor.")
        log.warning("second_factor_reset", user=user.pk)
        again = "sets a new one up at the next sign-in" if factors.is_required(user) else "signs in"
        self.stdout.write(f"{username} has no second factor now, and {again} with the password.")
