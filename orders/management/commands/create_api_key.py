"""``manage.py create_api_key``: a key for a machine, with the permissions of one role."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from orders.models import ApiKey, User
from orders.roles import ROLES

MOST_DAYS = 36_500


class Command(BaseCommand):
    """Writes the key, which is shown this once, as the last line of stdout."""

    help = "Make an API key for a service user in a role; the key alone is on stdout's last line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True, help="who will use it, 50 characters at most")
        parser.add_argument("--role", required=True, choices=sorted(ROLES))
        parser.add_argument(
            "--expires-days", type=int, metavar="DAYS", help="never, unless this says when"
        )

    def handle(
        self, *, name: str, role: str, expires_days: int | None = None, **options: Any
    ) -> None:
        if not 1 <= len(name) <= 50 or not slugify(name):
            raise CommandError("--name needs a letter or a digit, and 50 characters at most.")
        if expires_days is not None and not 1 <= expires_days <= MOST_DAYS:
            raise CommandError(f"--expires-days must be from 1 to {MOST_DAYS}.")
        expires = None if expires_days is None else timezone.now() + timedelta(days=expires_days)
        with transaction.atomic():
            user = _service_user(f"service-{slugify(name)}", role)
            _, key = ApiKey.objects.create_key(name=name, user=user, expiry_date=expires)
        self.stderr.write(f"A key for {user.username}, role {role}.", style_func=str)
        self.stdout.write(key)


def _service_user(username: str, role: str) -> User:
    """Return the service user of that name, made if there is none.

    One with another role, or a person's, is refused: the keys that it has would change what they
    may do, or act as a person.
    """
    user, is_new = User.objects.get_or_create(username=username)
    if is_new:
        user.set_unusable_password()
        user.save()
        user.groups.set([Group.objects.get(name=role)])
    elif user.has_usable_password() or user.is_superuser:
        raise CommandError(f"{username} is a person's login; choose another --name.")
    elif [group.name for group in user.groups.all()] != [role]:
        raise CommandError(f"{username} has another role; choose another --name.")
    return user
