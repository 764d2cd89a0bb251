"""A forgotten password: a link by mail, which the worker makes and sends.

A request is answered alike whoever the address belongs to: it looks for accounts, and writes one
job with their keys, or with none. So no address stands in a job, and no token: that is made when
the mail is. docs/adr/0021-mail.md says why mail is for this alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from smtplib import (
    SMTPDataError,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
)

import structlog
from django.conf import settings
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMessage, get_connection
from django.db import OperationalError, connection, transaction
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
from orderservice.metrics.instruments import MailOutcome, mails
from orderservice.rates import Scope

# The jobs' names: importing `orders.tasks` would close a circle.
ASKED, MAIL = "orders.reset_asked", "orders.reset_mail"

_TURN = 0x6D61696C  # PostgreSQL's advisory lock of who talks to the mail server
_PERMANENT = 500  # codes of SMTP from here on will be the same next time

log = structlog.get_logger(__name__)


class NotSent(Exception):
    """The mail server has not taken a mail, and may later; ``is_alone`` when it takes others.

    Has no words of the server's: those may repeat the address.
    """

    def __init__(self, *, is_alone: bool) -> None:
        super().__init__()
        self.is_alone = is_alone


class Busy(Exception):
    """Another mail is being handed in."""


def ask(email: str) -> None:
    """Have the worker send a link to whoever has that address.

    The statements are the same, whether that is anybody or not. Raises `OperationalError` when the
    database can't be asked.
    """
    users: list[JSONValue] = [user.pk for user in PasswordResetForm().get_users(email)]
    try:
        app.configure_task(ASKED).defer(users=users, asked_at=int(time.time()))
    except ConnectorException as exc:
        raise OperationalError("no job could be written") from exc


def answer(users: Sequence[int], *, asked_at: int) -> None:
    """Have a mail sent to each of some users who has not been sent enough of them lately.

    What has waited for too long counts for nobody: whose link never came asks again.
    """
    if is_too_late(asked_at):
        for _ in users:
            _note(MailOutcome.GIVEN_UP)
        return
    for user in users:
        taken = throttling.take(Scope.RESETS, f"user:{user}")
        if taken is not None and not taken.allowed:
            _note(MailOutcome.REFUSED)
            continue
        # One at a time: while the server is away, the others wait behind the one that tries.
        app.configure_task(MAIL, lock=MAIL).defer(user=user, asked_at=asked_at)


def send(user: int, *, asked_at: int) -> None:
    """Send a user a new link, unless the account is closed or it is too late.

    Raises `NotSent`, and `Busy` while another mail is being sent, by whichever worker.
    """
    if not settings.SENDS_MAIL or is_too_late(asked_at):
        _note(MailOutcome.GIVEN_UP)
        return
    who = of(user)
    if who is None or not who.email:
        return
    if not arrives_as_written(who.email):
        _note(MailOutcome.GIVEN_UP, error="AddressNotAsWritten")
        return
    mail = letter(who)
    with _turn():
        failure, was_ready = _handed_in(mail)
    if failure is None:
        _note(MailOutcome.SENT)
        return
    code = _code(failure)
    is_refused = isinstance(failure, SMTPRecipientsRefused | SMTPDataError)
    is_final = not isinstance(failure, OSError) or (is_refused and (code or 0) >= _PERMANENT)
    outcome = MailOutcome.GIVEN_UP if is_final else MailOutcome.DELAYED
    _note(outcome, error=type(failure).__name__, code=code)
    if not is_final:
        is_cut_off = was_ready and isinstance(failure, SMTPServerDisconnected)
        raise NotSent(is_alone=is_refused or is_cut_off)


def is_too_late(asked_at: int) -> bool:
    """Tell whether nobody waits any more for what was asked for then."""
    return time.time() - asked_at >= settings.PASSWORD_RESET_TIMEOUT


def give_up(count: int, *, failure: BaseException) -> None:
    """Note that some mails are not tried again; of `NotSent` the line before has the reason."""
    why = {} if isinstance(failure, NotSent) else {"error": type(failure).__name__}
    for _ in range(count):
        _note(MailOutcome.GIVEN_UP, **why)


def arrives_as_written(address: str) -> bool:
    """Tell whether mail goes to the very mailbox that an address names.

    Not where SMTP can't write it, nor where the old rules for domains make another one of it: of
    straße.example they make strasse.example, which anybody may have.
    """
    local, _, domain = address.rpartition("@")
    try:
        sent_to = domain.encode("idna")
        return local.isascii() and (domain.isascii() or sent_to.decode("idna") == domain.lower())
    except UnicodeError:
        return False


def of(pk: int, *, for_update: bool = False) -> User | None:
    """Return the user of a key who may have a new password."""
    users = User.objects.select_for_update(of=("self",)) if for_update else User.objects.all()
    user = users.filter(pk=pk).first()
    return user if user is not None and is_entitled(user) else None


def is_entitled(user: User) -> bool:
    """Tell whether a user may have a new password: active, and with one to forget."""
    return user.is_active and user.has_usable_password()


def minutes() -> int:
    """Return for how long a link works."""
    return settings.PASSWORD_RESET_TIMEOUT // 60


def letter(user: User) -> EmailMessage:
    """Return the mail with a new link; it leads to the door at which the user signs in."""
    page = "admin:reset" if user.is_staff else "tracking:reset"
    key = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse(page, args=[key, default_token_generator.make_token(user)])
    said = {
        "shop": " ".join(settings.SHOP_NAME.split()),
        "username": user.get_username(),
        "link": settings.PUBLIC_URL + path,  # a request's host is what its sender says
        "until": timezone.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT),
        "minutes": minutes(),
    }
    return EmailMessage(
        subject=f"A new password for {said['shop']}",
        body=render_to_string("orders/signin/reset_mail.txt", said),
        to=[user.email],
        headers={"Auto-Submitted": "auto-generated"},  # so that nobody's absence is answered to us
    )


@contextmanager
def _turn() -> Iterator[None]:
    """Be the only one who hands a mail in; raise `Busy` when somebody else is."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Of the transaction, as a pooler may give the next one another session; and one that
        # outlasts the slowest mail server, for which ours otherwise are too short. It is the only
        # one that stays open while we talk to somebody: it holds no row, and no snapshot.
        cursor.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', '2min', true),"
            " pg_try_advisory_xact_lock(%s)",
            [_TURN],
        )
        if not cursor.fetchone()[1]:
            raise Busy
        yield


def _handed_in(mail: EmailMessage) -> tuple[Exception | None, bool]:
    """Hand a mail in; return why that failed, whatever it was, and if the server was ready for it.

    Nothing is raised: the stack would tell the address.
    """
    was_ready = False
    try:
        with get_connection() as server:
            was_ready = True
            server.send_messages([mail])
    except Exception as exc:
        return exc, was_ready
    return None, was_ready


def _code(failure: Exception) -> int | None:
    """Return the code of the server's answer, if there was one."""
    match failure:
        case SMTPRecipientsRefused():
            [(code, _)] = failure.recipients.values()
            return code
        case SMTPResponseException():
            return failure.smtp_code
        case _:
            return None


def _note(outcome: MailOutcome, **more: object) -> None:
    """Count and log what came of a mail."""
    mails.labels(outcome).inc()
    tell = log.info if outcome in (MailOutcome.SENT, MailOutcome.REFUSED) else log.warning
    tell(f"reset_mail_{outcome}", **more)
