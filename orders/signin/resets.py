"""A forgotten password: a link by mail, which the worker makes and sends.

A request is answered alike whoever the address belongs to: it looks for accounts, and writes one
job with their keys, or with none. So no address stands in a job, and no token: that is made when
the mail is. docs/adr/0021-mail.md says why mail is for this alone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused

import structlog
from django.conf import settings
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMessage
from django.db import OperationalError
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException
from procrastinate.types import JSONValue

from orders import throttling
from orders.models import User
from orderservice.rates import Scope

# The jobs' names: importing `orders.tasks` would close a circle.
ASKED, MAIL = "orders.reset_asked", "orders.reset_mail"

_PERMANENT = 500  # codes of SMTP from here on will be the same next time

log = structlog.get_logger(__name__)


class NotSent(Exception):
    """The mail server has not taken a mail, and may later; ``is_alone`` when it takes others.

    Has no words of the server's: those may repeat the address.
    """

    def __init__(self, *, is_alone: bool) -> None:
        super().__init__()
        self.is_alone = is_alone


def ask(email: str, home: str) -> None:
    """Have the worker send a link to whoever has that address; ``home`` is our root's address.

    The statements are the same, whether that is anybody or not. Raises `OperationalError` when the
    database can't be asked.
    """
    users: list[JSONValue] = [user.pk for user in PasswordResetForm().get_users(email)]
    try:
        app.configure_task(ASKED).defer(users=users, home=home, asked_at=int(time.time()))
    except ConnectorException as exc:
        raise OperationalError("no job could be written") from exc


def answer(users: Sequence[int], *, home: str, asked_at: int) -> None:
    """Have a mail sent to each of some users who has not been sent enough of them lately."""
    for user in users:
        taken = throttling.take(Scope.RESETS, f"user:{user}")
        if taken is not None and not taken.allowed:
            log.info("reset_mail_refused")
            continue
        # One at a time: while the server is away, the others wait behind the one that tries.
        app.configure_task(MAIL, lock=MAIL).defer(user=user, home=home, asked_at=asked_at)


def send(user: int, *, home: str, asked_at: int) -> None:
    """Send a user a new link, unless the account is closed or it is too late; raise `NotSent`."""
    if not settings.SENDS_MAIL or time.time() - asked_at >= settings.PASSWORD_RESET_TIMEOUT:
        log.warning("reset_mail_given_up")
        return
    who = of(user)
    if who is None or not who.email:
        return
    failure = _failure(letter(who, home))
    if failure is None:
        log.info("reset_mail_sent")
        return
    codes = _refusals(failure)
    if codes and min(codes) >= _PERMANENT:
        log.warning("reset_mail_given_up", error=type(failure).__name__, codes=codes)
        return
    log.warning("reset_mail_delayed", error=type(failure).__name__, codes=codes)
    raise NotSent(is_alone=bool(codes))


def of(pk: int, *, for_update: bool = False) -> User | None:
    """Return the user of a key who may have a new password: active, and with one to forget."""
    users = User.objects.select_for_update(of=("self",)) if for_update else User.objects.all()
    user = users.filter(pk=pk, is_active=True).first()
    return user if user is not None and user.has_usable_password() else None


def letter(user: User, home: str) -> EmailMessage:
    """Return the mail with a new link; it leads to the door at which the user signs in."""
    page = "admin:reset" if user.is_staff else "tracking:reset"
    key = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse(page, args=[key, default_token_generator.make_token(user)])
    said = {
        "shop": " ".join(settings.SHOP_NAME.split()),
        "username": user.get_username(),
        "link": home.rstrip("/") + path,
        "until": timezone.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT),
    }
    return EmailMessage(
        subject=f"A new password for {said['shop']}",
        body=render_to_string("orders/signin/reset_mail.txt", said),
        to=[user.email],
        headers={"Auto-Submitted": "auto-generated"},  # so that nobody's absence is answered to us
    )


def _failure(mail: EmailMessage) -> Exception | None:
    """Hand a mail in; return why that failed, whatever it was."""
    try:
        mail.send()
    except Exception as exc:
        return exc
    return None


def _refusals(failure: Exception) -> list[int]:
    """Return the server's codes where it refused this mail, and not all that we could send."""
    match failure:
        case SMTPRecipientsRefused():
            return [code for code, _ in failure.recipients.values()]
        case SMTPDataError():
            return [failure.smtp_code]
        case _:
            return []
