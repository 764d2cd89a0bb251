"""``manage.py create_customer``: an account that orders over the API, and sees its own orders."""

import secrets
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from orders.models import User


class Command(BaseCommand):
    """Writes the password that it made, if it made one, as the last line of stdout."""

    help = "Make a customer's account; a password that nobody gave is on stdout's last line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--username", help="what they sign in with; the e-mail unless given")
        parser.add_argument("--name", default="", help="first name and last name")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password from stdin's line",
        )

    def handle(
        self,
        *,
        email: str,
        username: str | None = None,
        name: str = "",
        password_stdin: bool = False,
        **options: Any,
    ) -> None:
        given = sys.stdin.readline().rstrip("\n") if password_stdin else None
        first, _, last = name.strip().partition(" ")
        user = User(
            username=username or email, email=email, first_name=first, last_name=last.strip()
        )
        password = given if given is not None else secrets.token_urlsafe(15)
        try:
            validate_email(email)
            validate_password(password, user)
            user.set_password(password)
            user.full_clean()
        except ValidationError as exc:
            raise CommandError(" ".join(exc.messages)) from exc
        user.save()
        self.stderr.write(f"{user.username} is customer {user.public_id}.", style_func=str)
        if given is None:
            self.stdout.write(password)
